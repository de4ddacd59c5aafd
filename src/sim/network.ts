// The network between devices and the authority: requests that take their time, get lost, arrive twice, late, out of order or as
// rubbish, and lines that are cut. Implements the client's contract of a network, over the authority's neutral requests.
// Streams are stream.ts; what rubbish looks like is garble.ts. Everybody who wants to see the wire is told by `watch`.
import { SyncError } from '../base/errors.ts'
import type { Network, NetworkAnswer, NetworkRequest } from '../client/host.ts'
import type { HttpAnswer, HttpRequest } from '../server/http/exchange.ts'
import type { Wakeful } from './clock.ts'
import { garbleAnswer, garbleRequest, strangeAnswer } from './garble.ts'
import type { History } from './history.ts'
import type { Dice } from './random.ts'
import { openPipe } from './stream.ts'
import type { World } from './world.ts'

/** How likely each fault is, for each request, answer or piece of a stream; delays in milliseconds. */
export interface Weather {
  readonly latencyMs: number
  readonly delay: number
  readonly requestLost: number
  readonly answerLost: number
  readonly repeat: number
  readonly concurrentRepeat: number
  readonly lateRepeat: number
  readonly garbledRequest: number
  readonly garbledAnswer: number
  readonly strangeAnswer: number
  readonly streamCut: number
  readonly streamStalled: number
  readonly streamSlow: number
}

/** A network on which nothing goes wrong. */
export const CALM: Weather = {
  latencyMs: 20,
  delay: 0,
  requestLost: 0,
  answerLost: 0,
  repeat: 0,
  concurrentRepeat: 0,
  lateRepeat: 0,
  garbledRequest: 0,
  garbledAnswer: 0,
  strangeAnswer: 0,
  streamCut: 0,
  streamStalled: 0,
  streamSlow: 0,
}

/** What becomes of the wire's contents: told to whoever judges them. */
export interface WireWatch {
  /** A device puts a request on the wire; it may never arrive. */
  sent(device: string, request: NetworkRequest): void
  /** A request reaches the authority; what is returned is handed to `answered` or to `streamed`. */
  arrived(device: string, request: NetworkRequest): number
  /** The authority has answered. */
  answered(device: string, request: NetworkRequest, answer: Answered, since: number): void
  /** The authority has answered rubbish. */
  refusedRubbish(device: string, request: NetworkRequest, answer: HttpAnswer): void
  /** The authority writes to a stream. `isFull`: after its last write it was told that more waits than it may keep. */
  written(device: string, isFull: boolean): void
  /** The authority opened a stream. */
  opened(device: string, request: NetworkRequest, since: number): (text: string) => void
}

/** An answer with a body. */
export type Answered = Extract<HttpAnswer, { readonly body: string }>

/** Where requests go: the authority as it runs now. */
export interface Server {
  /** Answers, or rejects when its process dies first. Undefined when nothing listens. */
  handle(request: HttpRequest): Promise<HttpAnswer> | undefined
}

/** One device's line. It outlives the device's processes. */
export interface Line {
  readonly device: string
  /** Requests get through. */
  up: boolean
  /** Answers get through. */
  down: boolean
  /** The newest request that arrived. */
  newest: number
}

/** The network of a world. */
export interface SimNetwork {
  line(device: string): Line
  /** The network as one process of the device sees it, which may be dead or stand still when something comes. */
  connect(line: Line, process: Wakeful): Network
  setWeather(weather: Weather): void
}

/** What a network is made of. */
export interface NetworkParts {
  readonly world: World
  readonly dice: Dice
  readonly history: History
  readonly server: Server
  readonly watch: WireWatch
}

/** Makes the network of a world. */
export function createNetwork({ world, dice, history, server, watch }: NetworkParts): SimNetwork {
  let weather = CALM
  let numbers = 0

  /** Rolls for a fault of the weather; counts it when it happens. */
  const happens = (kind: Exclude<keyof Weather, 'latencyMs'>, where: string): boolean => {
    if (!dice.chance(weather[kind])) return false
    history.fault(kind, where)
    return true
  }
  const latencyMs = (where: string): number => {
    const usual = 1 + weather.latencyMs * (0.5 + dice.fraction())
    return Math.round(happens('delay', where) ? usual + dice.between(500, 9_000) : usual)
  }

  return {
    line: (device) => ({ device, up: true, down: true, newest: 0 }),
    setWeather: (next) => {
      weather = next
    },
    connect(line, process) {
      const { device } = line

      /** Carries a request there, as often as the weather wants; `answered` hears of the first arrival only. */
      const carry = (
        request: NetworkRequest,
        answered: (answer: HttpAnswer | undefined, since: number) => void,
      ): void => {
        const number = ++numbers
        watch.sent(device, request)
        history.note(`${device} sends ${request.path} ${number} ${request.body}`)
        if (line.up && happens('requestLost', device)) return
        const delayMs = latencyMs(device)
        const arriveAt = (afterMs: number, isRepeat: boolean): void => {
          world.after(afterMs, () => {
            if (isRepeat) return arrive(request, number, () => {})
            if (!line.up) return refuseOrForget(answered)
            arrive(request, number, answered)
          })
        }
        arriveAt(delayMs, false)
        if (request.path === 'live' || !line.up) return
        if (happens('concurrentRepeat', device)) arriveAt(delayMs, true)
        if (happens('repeat', device)) arriveAt(delayMs + dice.between(1, 500), true)
        if (happens('lateRepeat', device)) arriveAt(delayMs + dice.between(5_000, 30_000), true)
        if (dice.chance(weather.garbledRequest)) arriveGarbled(request, delayMs)
      }

      /** A cut line says so at once or leaves the caller waiting. */
      const refuseOrForget = (answered: (answer: undefined, since: number) => void): void => {
        if (dice.chance(0.7)) world.after(10, () => answered(undefined, 0))
      }

      const arrive = (
        request: NetworkRequest,
        number: number,
        answered: (answer: HttpAnswer | undefined, since: number) => void,
      ): void => {
        if (number < line.newest) history.fault('reorder', device)
        line.newest = Math.max(line.newest, number)
        const since = watch.arrived(device, request)
        const handled = server.handle(toHttpRequest(request))
        if (handled === undefined) {
          world.after(latencyMs(device), () => answered(undefined, since))
          return
        }
        handled.then(
          (answer) => {
            if ('body' in answer) {
              history.note(`authority answers ${number} ${answer.status} ${answer.body}`)
              watch.answered(device, request, answer, since)
            }
            answered(answer, since)
          },
          () => world.after(latencyMs(device), () => answered(undefined, since)),
        )
      }

      const arriveGarbled = (request: NetworkRequest, delayMs: number): void => {
        const garbled = garbleRequest(request, dice)
        if (garbled === undefined) return
        history.fault('garbledRequest', device)
        world.after(delayMs, () => {
          server.handle(toHttpRequest(garbled))?.then(
            (answer) => {
              history.note(`authority answers rubbish ${answer.status}`)
              watch.refusedRubbish(device, garbled, answer)
            },
            () => {},
          )
        })
      }

      return {
        exchange(request, timeoutMs) {
          let take: (answer: NetworkAnswer) => void = () => {}
          let give: (error: SyncError) => void = () => {}
          const answer = new Promise<NetworkAnswer>((resolve, reject) => {
            take = resolve
            give = reject
          })
          const fail = (code: 'unreachable' | 'timed_out', what: string): void => {
            stopTimer()
            process.hear(() => give(new SyncError(code, what)))
          }
          const stopTimer = world.after(timeoutMs, () => fail('timed_out', 'The simulated network brought no answer'))
          carry(request, (came) => {
            if (came === undefined || !('body' in came)) return fail('unreachable', 'The simulated network is down')
            if (happens('answerLost', device)) return
            world.after(latencyMs(device), () => {
              if (!line.down || !process.isAlive()) return
              stopTimer()
              const answered = changed(request, came)
              process.hear(() => take(answered))
            })
          })
          return { answer, cancel: () => fail('unreachable', 'The request was cancelled') }
        },
        stream: (request, listener) =>
          openPipe({ world, dice, watch, line, process, happens, latencyMs }, request, listener, carry),
      }
    },
  }

  /** The answer as it comes out of the wire. */
  function changed(request: NetworkRequest, answer: Answered): NetworkAnswer {
    if (happens('strangeAnswer', request.path)) return strangeAnswer(dice)
    const garbled =
      answer.status === 200 && dice.chance(weather.garbledAnswer)
        ? garbleAnswer(request.path, answer.body, dice)
        : undefined
    if (garbled !== undefined) history.fault('garbledAnswer', request.path)
    return { status: answer.status, header: (name) => answer.headers[name], body: garbled ?? answer.body }
  }
}

/** The authority's neutral form of a request. */
function toHttpRequest(request: NetworkRequest): HttpRequest {
  return {
    method: 'POST',
    path: new URL(request.url).pathname,
    header: (name) => request.headers[name],
    async text(maxBytes) {
      if (Buffer.byteLength(request.body) > maxBytes)
        throw new SyncError('too_large', `The body is larger than ${maxBytes} bytes`)
      return request.body
    },
  }
}
