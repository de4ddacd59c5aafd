// `holdfast replay`: sends what a rescue bundle holds, as a device of its own. Ids and the places that the intents had travel with them, so the
// authority answers what it knows and decides the rest: the same bundle twice does no more than once. What the authority will not
// decide now stays in the bundle, with all that builds on it; nothing is given up here.

import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { hasCode } from '../base/errors.ts'
import { utf8Bytes } from '../base/utf8.ts'
import { entriesOf, parseBundle, type RescuedIntent } from '../client/outbox/rescue.ts'
import { decodeText } from '../protocol/codec.ts'
import type { Entry } from '../protocol/intent.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Outcome, outcomeOf } from '../protocol/outcome.ts'
import { problem } from '../protocol/problem.ts'
import { type PushAnswer, pushAnswer } from '../protocol/push.ts'
import { PROTOCOL } from '../protocol/version.ts'
import { ReachError } from './errors.ts'
import type { Options } from './words.ts'

/** Whatever answered. */
export interface Answered {
  readonly status: number
  readonly body: string
}

/** What the command is given. */
export interface Replay {
  readonly options: Pick<Options, 'file' | 'url' | 'token' | 'json'>
  readonly cwd: string
  out(text: string): void
  send(url: string, headers: { readonly [name: string]: string }, body: string): Promise<Answered>
}

/** What became of one intent. */
type Told =
  | (Outcome & { readonly id: string; readonly name: string; readonly repeated: boolean })
  | {
      readonly id: string
      readonly name: string
      readonly status: 'left'
      readonly code: string
      readonly detail: string
    }

/** Runs the command; 1 when something is left, or was not applied. Throws a TypeError when the bundle cannot be read. */
export async function runReplay({ options, cwd, out, send }: Replay): Promise<0 | 1> {
  const bundle = await openBundle(resolve(cwd, options.file))
  const told: Told[] = []
  const left = new Set<string>()
  let rest = bundle.intents
  while (rest.length > 0) {
    // A stop leaves a place undecided, behind which nothing of the same device goes on: what is independent of it goes as another one.
    const device = { client: randomUUID(), sent: 0 }
    let stopped = false
    while (rest.length > 0 && !stopped) {
      const batch = takeBatch(entriesOf(rest.slice(0, LIMITS.batchIntents), device.sent + 1))
      const body = JSON.stringify({
        protocol: PROTOCOL,
        app: bundle.app,
        actor: bundle.actor,
        client: device.client,
        last: device.sent + batch.length,
        stored: 0,
        intents: batch,
      })
      const { outcomes, stop } = await push(body)
      for (const range of outcomes) {
        for (let sequence = range.from; sequence <= range.to; sequence++) {
          const intent = rest[sequence - device.sent - 1]
          if (intent !== undefined)
            told.push({ ...outcomeOf(range), id: intent.id, name: intent.name, repeated: range.repeated === true })
        }
      }
      const decided = stop === undefined ? batch.length : stop.sequence - device.sent - 1
      rest = rest.slice(decided)
      device.sent += decided
      if (stop === undefined) continue
      stopped = true
      leave(stop.code, stop.detail)
    }
  }
  report()
  return told.every(({ status, ...one }) => status === 'applied' || ('code' in one && one.code === 'discarded')) ? 0 : 1

  /** Leaves the first of the rest in the bundle, and all that builds on it. */
  function leave(code: string, detail: string): void {
    rest = rest.filter((intent, index) => {
      const cause = index === 0 ? undefined : dependsOn(intent, left)
      if (index > 0 && cause === undefined) return true
      left.add(intent.id)
      told.push({
        id: intent.id,
        name: intent.name,
        status: 'left',
        code: cause === undefined ? code : 'dependency',
        detail: cause === undefined ? detail : `It builds on ${cause}.`,
      })
      return false
    })
  }

  async function push(body: string): Promise<PushAnswer> {
    const headers = {
      'content-type': 'application/json',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    }
    const url = `${options.url.replace(/\/+$/, '')}/push`
    const answer = await send(url, headers, body)
    const decoded = decodeText(pushAnswer, answer.body)
    if (answer.status === 200 && decoded.ok) return decoded.value
    const refused = decodeText(problem, answer.body)
    throw new ReachError(
      refused.ok
        ? `The authority refused the bundle with ${refused.value.code}: ${refused.value.title}. ${refused.value.detail}`
        : `${url} answered with status ${answer.status}, and not as an authority does`,
    )
  }

  function report(): void {
    if (options.json) return out(JSON.stringify({ command: 'replay', intents: told }))
    for (const one of told) {
      if (one.status === 'applied') continue
      const why = one.status === 'left' ? `${one.code}: ${one.detail}` : one.code
      out(`${one.status} ${one.name} ${one.id} (${why})`)
    }
    const count = (isMeant: (one: Told) => boolean): number => told.filter(isMeant).length
    const applied = count(({ status }) => status === 'applied')
    const before = count((one) => one.status === 'applied' && one.repeated)
    out(
      `${told.length} intents: ${applied} applied (${before} of them before), ${count(({ status }) => status !== 'applied' && status !== 'left')} not, ${left.size} left in the bundle`,
    )
  }
}

/** The earlier intent that this one cannot do without, if it is among those. */
function dependsOn({ needs = [], replaces }: RescuedIntent, ids: ReadonlySet<string>): string | undefined {
  return [...needs, ...(replaces === undefined ? [] : [replaces])].find((id) => ids.has(id))
}

/** As many entries as one request holds; the first always fits. */
function takeBatch(entries: readonly Entry[]): readonly Entry[] {
  let bytes = 0
  const end = entries.findIndex((entry, index) => {
    bytes += utf8Bytes(JSON.stringify(entry)) + 1
    return index > 0 && bytes > LIMITS.batchBytes
  })
  return end < 0 ? entries : entries.slice(0, end)
}

async function openBundle(path: string): Promise<ReturnType<typeof parseBundle>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new ReachError(`There is no file ${path} that can be read`, error)
  }
  try {
    return parseBundle(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) throw new TypeError(`${path} is no rescue bundle: it is not JSON`)
    if (hasCode(error, 'malformed') || hasCode(error, 'storage_newer')) throw new TypeError(`${path}: ${error.message}`)
    throw error
  }
}
