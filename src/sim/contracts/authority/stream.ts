// A live stream as a device without the engine hears it: events are read from the bytes, patches are kept until their seal and then
// given to the device, which checks them. A case waits for what it expects; nothing waits for time to pass.
import type { Clock } from '../../../base/clock.ts'
import type { HttpAnswer } from '../../../server/index.ts'
import { expectThat } from '../contract.ts'
import type { Device, Patch, Seal } from './device.ts'

/** How long a case waits for what must come, in milliseconds of real time. */
const PATIENCE_MS = 10_000

/** A stream that was asked for, before it is open. */
export interface Asked {
  readonly answer: Promise<HttpAnswer>
  readonly clock: Clock
}

/** An open stream. */
export interface Stream {
  readonly answer: HttpAnswer
  /** The names of its events, in order; `alive` for a sign of life, `closed` at its end. */
  readonly events: readonly string[]
  readonly seals: readonly Seal[]
  /** How many bytes it says are still waiting to leave; a case may set it. */
  waitingBytes: number
  /** Bytes of all that was written. */
  readonly writtenBytes: number
  /** Waits for a condition, which is looked at after each event. */
  until(condition: () => boolean, what: string): Promise<void>
  /** The device goes away. */
  leave(): void
}

/** Opens the stream and hands its frames to the device. */
export async function createStream({ answer, clock }: Asked, device: Device): Promise<Stream> {
  const got = await answer
  const events: string[] = []
  const seals: Seal[] = []
  let staged: Patch[] = []
  let rest = ''
  let writtenBytes = 0
  let failure: unknown
  let look: () => void = () => undefined

  function hear(event: string): void {
    if (event.startsWith(':')) return void events.push('alive')
    const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? []
    expectThat(['patch', 'seal', 'pull'].includes(name), `an event has a name of the protocol, and not «${event}»`)
    events.push(name)
    if (name === 'patch') staged.push(JSON.parse(data) as Patch)
    if (name !== 'seal') return
    const seal = JSON.parse(data) as Seal
    device.take(staged, seal)
    seals.push(seal)
    staged = []
  }

  const stream = {
    answer: got,
    events,
    seals,
    waitingBytes: 0,
    get writtenBytes() {
      return writtenBytes
    },
    until: (condition: () => boolean, what: string) =>
      new Promise<void>((resolve, reject) => {
        const cancel = clock.after(PATIENCE_MS, () => {
          reject(new Error(`${what} did not come; what came is ${events.join(', ')}`))
        })
        look = () => {
          if (failure === undefined && !condition()) return
          cancel()
          if (failure === undefined) resolve()
          else reject(failure)
        }
        look()
      }),
    leave(): void {},
  }
  if (!('open' in got)) return stream
  stream.leave = got.open({
    write(text) {
      writtenBytes += text.length
      rest += text
      const parts = rest.split('\n\n')
      rest = parts.pop() ?? ''
      try {
        for (const part of parts) hear(part)
      } catch (error) {
        failure ??= error
      }
      look()
      return stream.waitingBytes
    },
    close() {
      events.push('closed')
      look()
    },
  })
  return stream
}
