// The pull, seen from the device: asks for what is new, page by page, and applies the whole when the seal comes.
import { hasCode, SyncError } from '../../base/errors.ts'
import { type PullAnswer, pullAnswer } from '../../protocol/pull.ts'
import { readAnswer } from './answer.ts'
import type { Core, IsCurrent } from './core.ts'
import { createStaging, type Staging } from './staging.ts'

/** Makes the verb that asks for one page. A page that fails ends its pull: the next one begins at what is held. */
export function createPull(core: Core): (isCurrent: IsCurrent) => Promise<void> {
  const { receiver, pull, parts } = core
  const { host } = parts
  let staging: Staging | undefined
  let began: IsCurrent = () => false

  return async function pullPage(isCurrent) {
    // Pages of one pull follow one another in one epoch; anything else begins anew.
    if (staging === undefined || !began()) {
      staging = createStaging(parts.cursors())
      pull.incoming = undefined
    }
    began = isCurrent
    const stage = staging
    const caller = core.caller()
    try {
      const known = core.known()
      const answer = await core.exchange(
        pull,
        'pull',
        JSON.stringify({ ...caller, cursors: stage.cursors() }),
        isCurrent,
      )
      if (answer === undefined) return
      const page = readAnswer(answer, pullAnswer, host.clock.now())
      const before = pull.attempts
      core.heard(pull)
      // Only a whole frame is a success: what comes and does not fit is asked for ever more rarely.
      pull.attempts = before
      if (!page.patches.every(stage.stage))
        throw new SyncError('behind', 'A page of the pull does not start where the one before ended')
      if (page.seal === undefined) {
        if (page.patches.length === 0)
          throw new SyncError('server_error', 'A page of the pull brought neither rows nor a seal')
        pull.incoming = { pages: (pull.incoming?.pages ?? 0) + 1, rows: (pull.incoming?.rows ?? 0) + rowsIn(page) }
        return receiver.send('page')
      }
      staging = undefined
      await core.takeSeal(stage, page.seal, known, isCurrent)
      pull.attempts = 0
      pull.incoming = undefined
      if (!isCurrent()) return
      receiver.send(parts.wantsStream ? 'sealed' : page.seal.decided < core.known() ? 'behind' : 'sealedForNow')
    } catch (error) {
      staging = undefined
      pull.incoming = undefined
      if (!isCurrent()) return
      if (hasCode(error, 'forked')) {
        return core.isOutdated(caller) ? receiver.send('behind') : await core.beReborn(true)
      }
      receiver.send(core.failed(pull, error))
    }
  }
}

function rowsIn({ patches }: PullAnswer): number {
  let count = 0
  for (const { rows } of patches) for (const list of Object.values(rows)) count += list.length
  return count
}
