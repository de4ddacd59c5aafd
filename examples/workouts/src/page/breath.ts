// How this page lets others have their turn in the middle of long work. Not by a timer: browsers let those of a hidden tab fire
// once a second, and an import goes on there.
import type { Breath } from './slices.ts'

const channel = new MessageChannel()
const waiting: (() => void)[] = []
channel.port1.onmessage = () => waiting.shift()?.()

/** The page's clock and breath. */
export const breath: Breath = {
  now: () => performance.now(),
  breathe: () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      channel.port2.postMessage(null)
    }),
}
