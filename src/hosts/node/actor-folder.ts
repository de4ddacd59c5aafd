// The name of an actor's folder. An actor may be any text; a folder's name may not, and on many disks differs from another only if
// it differs in more than case. So: what is harmless of the name, for people, and a hash of the whole, which makes it one of a kind.
import { hashJson } from '../../base/canonical.ts'
import type { ActorId } from '../../protocol/ids.ts'

/** The same for the same actor on every machine; never the same for two. */
export function actorFolder(actor: ActorId): string {
  const readable = actor
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 32)
  return `actor-${readable}-${hashJson(actor).slice(0, 32)}`
}
