// One stream through the simulated network: pieces in order, each after its delay, split where it hurts; broken in the middle of a
// frame, fallen silent, or so slow that the authority gives it up. Reads the events as the real host does.
import type { Cancel } from '../base/clock.ts'
import { SyncError } from '../base/errors.ts'
import type { NetworkRequest, StreamListener } from '../client/host.ts'
import { createEventReader } from '../protocol/event-reader.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { HttpAnswer, StreamSink } from '../server/http/exchange.ts'
import type { Wakeful } from './clock.ts'
import type { Line, WireWatch } from './network.ts'
import type { Dice } from './random.ts'
import type { World } from './world.ts'

/** What a stream needs of its network. */
export interface PipeParts {
  readonly world: World
  readonly dice: Dice
  readonly watch: WireWatch
  readonly line: Line
  readonly process: Wakeful
  happens(kind: 'streamCut' | 'streamStalled' | 'streamSlow', where: string): boolean
  latencyMs(where: string): number
}

/** How a request is brought to the authority. */
export type Carry = (request: NetworkRequest, answered: (answer: HttpAnswer | undefined, since: number) => void) => void

/** How long the authority's side takes to notice that a device has vanished without a word. */
const FORGOTTEN_AFTER_MS = 60_000
/** A stream that was never answered ends by the operating system's own limit. */
const NEVER_OPENED_MS = 30_000

/** Opens a stream; what is returned ends it. */
export function openPipe(parts: PipeParts, request: NetworkRequest, listener: StreamListener, carry: Carry): Cancel {
  const { world, dice, watch, line, process, happens, latencyMs } = parts
  const { device } = line
  let isOver = false
  /** From here on nothing gets through, and nobody is told. */
  let isSilent = false
  /** How much the authority was last told that waits. */
  let toldWaiting = 0
  let newestAt = 0
  let waiting = 0
  let tellServer: () => void = () => {}

  const tell = (listen: () => void): void => {
    process.hear(() => {
      if (!isOver) listen()
    })
  }
  const hang = (listen: () => void): void => {
    stopOpening()
    tell(() => {
      isOver = true
      listen()
    })
  }
  const end = (what: string): void => hang(() => listener.ended(new SyncError('stream_lost', what)))
  const stopOpening = world.after(NEVER_OPENED_MS, () =>
    hang(() => listener.ended(new SyncError('timed_out', 'The stream was not answered'))),
  )

  const take = createEventReader(Number.POSITIVE_INFINITY, {
    event: (name, data) => listener.event(name, data),
    heartbeat: () => listener.event('', ''),
    tooLong: () => undefined,
  })
  const feed = (text: string): void => {
    const cut = dice.below(text.length + 1)
    for (const part of [text.slice(0, cut), text.slice(cut)]) tell(() => take(part))
  }

  /** Plans what reaches the device after all that was planned before. */
  const later = (run: () => void): void => {
    newestAt = Math.max(newestAt, world.now() + latencyMs(device))
    world.at(newestAt, () => {
      if (!process.isAlive()) return void world.after(FORGOTTEN_AFTER_MS, tellServer)
      if (!isOver && !isSilent) run()
    })
  }

  const sinkOf = (write: (text: string) => void): StreamSink => ({
    write(text) {
      watch.written(device, toldWaiting > LIMITS.streamBufferBytes)
      write(text)
      waiting += text.length
      toldWaiting = happens('streamSlow', device) ? LIMITS.streamBufferBytes * 2 : waiting
      if (happens('streamStalled', device)) isSilent = true
      const breaks = !isSilent && happens('streamCut', device)
      later(() => {
        waiting -= text.length
        // A line that is cut brings nothing; when it heals, the connection behind it has been forgotten.
        if (!line.down) isSilent = true
        else if (!breaks) feed(text)
        else {
          feed(text.slice(0, dice.below(text.length)))
          end('The simulated network broke the stream')
          world.after(latencyMs(device), tellServer)
        }
      })
      return toldWaiting
    },
    close: () => later(() => end('The authority closed the stream')),
  })

  carry(request, (answer, since) => {
    if (answer === undefined)
      return hang(() => listener.ended(new SyncError('unreachable', 'The simulated network is down')))
    if ('body' in answer) {
      const { status, body, headers } = answer
      return later(() => hang(() => listener.refused({ status, body, header: (name) => headers[name] })))
    }
    later(() => {
      stopOpening()
      tell(() => listener.opened())
    })
    tellServer = once(answer.open(sinkOf(watch.opened(device, request, since))))
    if (isOver || !process.isAlive()) world.after(latencyMs(device), tellServer)
  })

  return () => {
    stopOpening()
    isOver = true
    world.after(latencyMs(device), tellServer)
  }
}

function once(run: () => void): () => void {
  let hasRun = false
  return () => {
    if (!hasRun) run()
    hasRun = true
  }
}
