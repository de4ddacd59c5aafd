// Identity: the client id belongs to one birth of one store. A store that vanished, went back or was cloned gets a new one, so
// that no sequence number is ever used for two things (I18); intent ids outlive every birth (I16).
import { type Random, randomUuid } from '../../base/random.ts'
import type { ClientId } from '../../protocol/ids.ts'
import { FIRST_FORMAT, type OutboxEvent } from '../outbox/stored.ts'

/** A client id that nobody had before. */
export function newClientId(random: Random): ClientId {
  return randomUuid(random) as ClientId
}

/** The first event of a new store. */
export function firstBirth(random: Random, at: number): OutboxEvent & { readonly kind: 'born' } {
  return { kind: 'born', format: FIRST_FORMAT, client: newClientId(random), last: 0, retired: 0, at }
}
