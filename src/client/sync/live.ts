// The live stream, seen from the device: frames as they happen, applied one after the other in the order in which they came.
// What does not fit (a patch from elsewhere, an event of another kind) ends the stream; then the device pulls.
import { SyncError } from '../../base/errors.ts'
import { decodeEvent } from '../../protocol/live.ts'
import type { StreamListener } from '../host.ts'
import { faultOfAnswer } from './answer.ts'
import { type Core, faultOfNetwork, type IsCurrent } from './core.ts'
import { createStaging } from './staging.ts'

/** So many short streams in a row are chance: a restart, a change of grants, a patch that is too large. */
const MAX_SHORT = 3

/** Makes the verb that opens a stream from where the device stands. */
export function createLive(core: Core): (isCurrent: IsCurrent) => Promise<void> {
  const { receiver, pull, parts } = core
  const { host } = parts
  /** Streams in a row that were over as soon as they were open. */
  let short = 0

  return async function openStream(isCurrent) {
    const staging = createStaging(parts.cursors())
    const caller = core.caller()
    let isOver = false
    let hasBrought = false
    let last: Promise<void> = Promise.resolve()
    let isFresh = true
    const openedAt = host.clock.monotonic()
    let cancelStream = nothing
    let cancelWatch = nothing
    pull.cancel = () => {
      isOver = true
      cancelWatch()
      cancelStream()
    }
    const isRunning = (): boolean => !isOver && isCurrent()

    const end = (event: 'behind' | 'failed' | 'refused'): void => {
      isOver = true
      receiver.send(event)
    }
    /** The device pulls and opens the next one; where that happens again and again, with a pause. */
    const endBehind = (): void => {
      short = host.clock.monotonic() - openedAt < parts.tuning.backoff.firstMs ? short + 1 : 0
      if (short <= MAX_SHORT) end('behind')
      else end(core.failed(pull, new SyncError('stream_lost', 'Streams end as soon as they are open')))
    }
    const fail = (error: unknown): void => {
      if (!isRunning()) return
      if (!(error instanceof SyncError)) return core.guard(() => Promise.reject(error))
      if (error.code !== 'forked') end(core.failed(pull, error))
      else if (core.isOutdated(caller)) endBehind()
      else core.guard(() => core.beReborn(true))
    }
    /** A line that was cut says nothing, not even that it is over. */
    const watchSilence = (): void => {
      cancelWatch = host.clock.after(parts.tuning.silenceMs, () => {
        if (!isFresh) return fail(new SyncError('stream_lost', 'Nothing was heard on the stream for too long'))
        isFresh = false
        watchSilence()
      })
    }
    const take = async (name: string, data: string): Promise<void> => {
      if (!isRunning()) return
      const decoded = decodeEvent(name, data)
      if (!decoded.ok) throw new SyncError('not_ours', `An event’s field ${decoded.field} ${decoded.problem}`)
      const event = decoded.value
      if (event.kind === 'pull' || (event.kind === 'patch' && !staging.stage(event.patch))) return endBehind()
      if (event.kind !== 'seal') return
      core.heard(pull)
      hasBrought = true
      // What a push was told meanwhile may not be in this snapshot yet, so only earlier seals count.
      await core.takeSeal(staging, event.seal, core.sealed(), isRunning)
      if (isRunning()) receiver.send('frame')
    }

    const body = JSON.stringify({ ...caller, cursors: staging.cursors() })
    const ready = await core.request('live', body).catch(fail)
    if (ready === undefined || !isRunning()) return
    watchSilence()
    const listener: StreamListener = {
      opened: () => undefined,
      event(name, data) {
        isFresh = true
        if (name !== '') last = last.then(() => take(name, data)).catch(fail)
      },
      refused: (answer) => fail(faultOfAnswer(answer, host.clock.now())),
      ended(error) {
        // Frames that came before the end still count. A stream that worked is opened again by way of a pull; one that never did waits.
        last = last.then(() =>
          isRunning() && hasBrought ? endBehind() : fail(faultOfNetwork('The stream ended', error)),
        )
      },
    }
    try {
      cancelStream = host.network.stream(ready, listener)
    } catch (error) {
      fail(faultOfNetwork('The stream could not be opened', error))
    }
  }
}

function nothing(): void {}
