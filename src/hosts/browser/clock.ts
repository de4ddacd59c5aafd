// Real time in a browser, as the rooms may know it. The end of a turn comes by a message to oneself: timers are clamped to 4 ms when
// they nest, and to a second in a tab that nobody sees.
import type { Clock } from '../../base/clock.ts'

/** Longer waits overflow and would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

const turns = new Map<number, () => void>()
let nextTurn = 0
/** Where a message to oneself goes in; opened when it is first needed, for whoever only imports this must not be kept alive by it. */
let toSelf: MessagePort | undefined

function openChannel(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = ({ data }: MessageEvent<number>) => {
    const run = turns.get(data)
    turns.delete(data)
    run?.()
  }
  return port2
}

/** The clock of this page. */
export const clock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs: number, run: () => void) {
    const dueAt = performance.now() + delayMs
    let timer: ReturnType<typeof setTimeout>
    const wait = (): void => {
      const leftMs = dueAt - performance.now()
      // A browser rounds its clocks, so a timer may seem a little early.
      if (leftMs <= 0) return run()
      timer = setTimeout(wait, Math.min(Math.ceil(leftMs), MAX_TIMER_MS))
    }
    timer = setTimeout(wait, Math.min(Math.max(Math.ceil(delayMs), 0), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
  turn(run: () => void) {
    const turn = nextTurn++
    turns.set(turn, run)
    toSelf ??= openChannel()
    toSelf.postMessage(turn)
    return () => void turns.delete(turn)
  },
})
