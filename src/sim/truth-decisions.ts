// Decisions as the ledger records them, one by one in the authority's own order: each is decided on the model too, and must come out
// the same; each client's numbers rise without holes (I2), no intent is decided twice and no outcome changes (I3).
import { CONFLICTS } from '../schema/conflict.ts'
import type { Checks } from './checks.ts'
import { type BookEntry, enter, readEntry } from './ledger-book.ts'
import type { PlainIntent, PlainRow } from './model.ts'
import type { Picture } from './picture.ts'
import { fromSql, type Reader } from './rows.ts'

/** What is known of intents besides the ledger. */
export interface Decisions {
  /** A device put this on the wire. */
  learn(intent: PlainIntent): void
  learnWithdrawal(id: string): void
  learnBirths(client: string, births: readonly (readonly [client: string, sequence: number])[]): void
  /** Every outcome that was ever recorded for an intent, in this history or a lost one, as «status code». */
  outcomesOf(actor: string, id: string): ReadonlySet<string>
  /** Takes what the ledger has more than the picture, decided in `order` (client and sequence); gives the clients of which something was decided. */
  take(picture: Picture, all: Reader['all'], order: readonly string[]): ReadonlySet<string>
}

/** Begins without any. `onDecided` hears of each intent once in each history. */
export function createDecisions({ check }: Checks, onDecided: (id: string) => void): Decisions {
  const contents = new Map<string, PlainIntent>()
  const withdrawn = new Set<string>()
  const outcomes = new Map<string, Set<string>>()
  const kin = new Map<string, Set<string>>()

  const decide = (
    { book, model, orders }: Picture,
    entry: BookEntry,
    later: readonly BookEntry[],
    all: Reader['all'],
  ): void => {
    const { actor, id, client, sequence, status, code } = entry
    const key = `${actor}/${id}`
    const at = `intent ${id} of ${actor} at ${client} ${sequence}`
    const earlier = book.intents.get(key)
    enter(book, entry)
    outcomes.set(key, (outcomes.get(key) ?? new Set()).add(`${status} ${code}`))
    if (entry.isAlias) {
      const isSame = code === 'id_reused' || (earlier?.status === status && earlier.code === code)
      return check(
        'I3',
        earlier !== undefined && isSame,
        () => `${at} became ${status} ${code} as an alias, and was ${earlier?.status} ${earlier?.code}`,
      )
    }
    onDecided(id)
    check(
      'I3',
      earlier === undefined,
      () => `${at} was decided twice: ${earlier?.status} at ${earlier?.sequence}, now ${status}`,
    )
    if (status === 'withdrawn' && code === 'discarded') {
      check('I3', withdrawn.has(id), () => `${at} was withdrawn, but no device ever gave it up`)
      return model.record(actor, id, { status, code })
    }
    const content = contents.get(id)
    if (content === undefined) return check('I3', false, () => `${at} was decided and never sent`)
    const verdict = model.decide(content, `${status} ${code}`, {
      by: { client },
      base: content.base,
      isKin: (other) => kin.get(client)?.has(other) === true,
      orderOf: ({ scope, version, mark }) => orders.get(`${scope} ${version} ${mark}`),
    })
    const expected = `${verdict.status} ${verdict.status === 'applied' ? '' : verdict.code}`
    check(
      'I3',
      expected === `${status} ${code}`,
      () =>
        `${at}, ${content.name} ${JSON.stringify(content.args)}, became ${status} ${code} and should be ${expected}`,
    )
    if (status === 'conflict') takeRecords(model, entry, later, all)
  }

  /** The records of a conflict: one for what was overwritten, each in the scope of its row. Their values are taken from there. */
  const takeRecords = (
    model: Picture['model'],
    { id, actor, code, details }: BookEntry,
    later: readonly BookEntry[],
    all: Reader['all'],
  ): void => {
    const { records } = JSON.parse(details) as { readonly records: readonly string[] }
    check(
      'I10',
      code === 'conflict_rejected' || records.length > 0,
      () => `${id} of ${actor} overwrote something and left no record`,
    )
    for (const key of records) {
      const [found] = all(`SELECT * FROM "${CONFLICTS}" WHERE id = ?`, key)
      if (found === undefined && isDismissed(key, later)) {
        const scope = scopeOfConflict(model, contents.get(id))
        model.put(CONFLICTS, key, { id: key, scope, intentId: id, mineBy: actor })
        continue
      }
      if (found === undefined) return check('I10', false, () => `the record ${key} of ${id} is not there`)
      const record = fromSql(CONFLICTS, found)
      check(
        'I9',
        model.grants(actor).write.has(String(record['scope'])) &&
          record['intentId'] === id &&
          record['mineBy'] === actor,
        () => `the record ${JSON.stringify(record)} of ${id} lies where ${actor} may not write`,
      )
      model.put(CONFLICTS, key, record as PlainRow)
    }
  }

  /** Whether one of these decisions, which the same commit holds, took a record away: who has an older copy of a store knows its id. */
  const isDismissed = (key: string, later: readonly BookEntry[]): boolean =>
    later.some(({ id, status, isAlias }) => {
      const content = contents.get(id)
      return !isAlias && status === 'applied' && content?.name === 'dismissConflict' && content.args['id'] === key
    })

  return {
    learnBirths(client, births) {
      const known = kin.get(client) ?? new Set()
      kin.set(client, known)
      for (const [birth] of births) known.add(birth)
    },
    learn(intent) {
      const text = JSON.stringify(intent)
      const known = contents.get(intent.id)
      check(
        'I3',
        known === undefined || JSON.stringify(known) === text,
        () => `intent ${intent.id} was sent as ${JSON.stringify(known)} and as ${text}`,
      )
      contents.set(intent.id, intent)
    },
    learnWithdrawal: (id) => void withdrawn.add(id),
    outcomesOf: (actor, id) => outcomes.get(`${actor}/${id}`) ?? new Set(),
    take(picture, all, order) {
      const { decided } = picture.book
      const fresh: BookEntry[] = []
      const moved = new Set<string>()
      for (const row of all('SELECT client, decided FROM holdfast_client ORDER BY client')) {
        const client = String(row['client'])
        const now = Number(row['decided'])
        const known = decided.get(client) ?? 0
        if (now === known) continue
        moved.add(client)
        const rows = all(
          'SELECT * FROM holdfast_ledger WHERE client = ? AND sequence > ? ORDER BY sequence',
          client,
          known,
        ).map(readEntry)
        const isWhole =
          rows.length === now - known && rows.every(({ sequence }, index) => sequence === known + 1 + index)
        check(
          'I2',
          isWhole,
          () =>
            `${client} went from ${known} to ${now} with the numbers ${rows.map(({ sequence }) => sequence).join(', ')}`,
        )
        fresh.push(...rows)
        decided.set(client, now)
      }
      const place = new Map(order.map((key, index) => [key, index]))
      const placeOf = ({ client, sequence }: BookEntry): number => place.get(`${client} ${sequence}`) ?? 0
      fresh.sort((a, b) => placeOf(a) - placeOf(b))
      for (const [index, entry] of fresh.entries()) decide(picture, entry, fresh.slice(index + 1), all)
      return moved
    },
  }
}

/** The scope of the row over which an intent was in conflict: the machine's, or that in which its device saw it. */
function scopeOfConflict(model: Picture['model'], content: PlainIntent | undefined): string {
  const of = String(content?.args['id'])
  const id = content?.name === 'restoreConflict' ? String(model.rows(CONFLICTS).get(of)?.['rowId']) : of
  const row = model.rows('machines').get(id)
  return (row && model.scopeOf('machines', row)) ?? content?.base?.places[0]?.scope ?? ''
}
