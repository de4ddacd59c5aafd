// The wire, watched: whatever a device sends is safe on its disk (I1) and within the limits (I13), and whatever the authority says is
// true: outcomes as the ledger has them (I3), frames that lead exactly from one state of a scope to another (I6), nothing that the
// actor may not read (I9), refusals for rubbish (I12), nothing of a session that has ended (I8). Reads the JSON by itself; of the decoders it believes nothing.
import type { Json } from '../base/json.ts'
import type { Patch, Seal } from '../protocol/frame.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { OutcomeRange } from '../protocol/outcome.ts'
import type { PullRequest } from '../protocol/pull.ts'
import type { PushAnswer, PushRequest } from '../protocol/push.ts'
import type { Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import type { Device } from './device.ts'
import type { History } from './history.ts'
import type { WireWatch } from './network.ts'
import { textOf } from './rows.ts'
import { hasLeft } from './sessions.ts'
import type { Truth } from './truth.ts'

/** What the watch needs to judge. */
export interface WireParts {
  readonly truth: Truth
  readonly checks: Checks
  readonly history: History
  readonly calls: Calls
  readonly now: () => number
  device(name: string): Sender
}

/** Who sends: a device, or a stranger who pretends to be one. */
export interface Sender {
  readonly name: string
  readonly actor: string
  readonly safe: { has(id: string): boolean }
  /** The running client of a device. */
  readonly client?: Device['client']
}

/** Statuses that a refusal of rubbish may have. */
const refusals = new Set([400, 401, 404, 405, 413, 415, 422, 426])

/** Watches the wire of a world. */
export function createWireWatch({ truth, checks, history, calls, now, device }: WireParts): WireWatch {
  const { check } = checks
  const givenUp = new Set<string>()

  const checkEntries = (from: Sender, request: PushRequest): void => {
    check(
      'I13',
      request.intents.length <= LIMITS.batchIntents,
      () => `${from.name} pushes ${request.intents.length} intents at once`,
    )
    for (const entry of request.intents) {
      check(
        'I1',
        from.safe.has(entry.id),
        () => `${from.name} sends the intent ${entry.id}, which is not safe on its disk`,
      )
      if ('withdraw' in entry) {
        givenUp.add(entry.id)
        truth.learnWithdrawal(entry.id)
        continue
      }
      const { id, root, name, args, madeAt, needs = [], births = [], base } = entry
      check(
        'I13',
        needs.length <= LIMITS.needs && births.length <= LIMITS.births,
        () => `${id} has ${needs.length} needs and ${births.length} births`,
      )
      truth.learn({
        id,
        root: root ?? id,
        actor: request.actor,
        name,
        args: args as { readonly [name: string]: Json },
        madeAt,
        needs,
        ...(base === undefined ? {} : { base }),
      })
      truth.learnBirths(request.client, births)
      const call = calls.get(id)
      if (call !== undefined) call.sentAt ??= now()
    }
  }

  const checkOutcomes = (client: string, outcomes: readonly OutcomeRange[], decided: number): void => {
    const places = truth.book.places.get(client)
    check(
      'I3',
      decided <= (truth.book.decided.get(client) ?? 0),
      () => `${client} is told that ${decided} is decided, the ledger says ${truth.book.decided.get(client) ?? 0}`,
    )
    for (const { from, to, status, code = '' } of outcomes) {
      for (let sequence = from; sequence <= to; sequence++) {
        const entry = places?.get(sequence)
        check(
          'I3',
          entry?.status === status && entry.code === code,
          () =>
            `${client} ${sequence} is told to be ${status} ${code}, the ledger says ${entry?.status} ${entry?.code}`,
        )
      }
    }
  }

  /** A patch leads exactly from what the scope held at one place to what it held at another. */
  const checkPatch = (actor: string, patch: Patch, isLast: boolean): void => {
    const { scope, from, to } = patch
    const after = truth.archive.at(scope, to)
    const before =
      patch.reset === true ? truth.archive.at(scope, { version: 0, mark: '' }) : truth.archive.at(scope, from)
    if (from.within !== undefined || to.within !== undefined || !isLast) return
    check(
      'I6',
      after !== undefined && before !== undefined,
      () =>
        `a patch of ${scope} for ${actor} goes from ${from.version} ${from.mark} to ${to.version} ${to.mark}, of which one never was`,
    )
    if (after === undefined || before === undefined) return
    const result = new Map(before)
    for (const [table, ids] of Object.entries(patch.gone)) for (const id of ids) result.delete(`${table}/${id}`)
    for (const [table, rows] of Object.entries(patch.rows)) {
      for (const row of rows) {
        const key = `${table}/${row.id}`
        check(
          'I9',
          after.has(key),
          () => `${actor} is sent ${key} as of ${scope}, where it was not at version ${to.version}`,
        )
        check(
          'I6',
          after.get(key) === textOf(table, row),
          () =>
            `${actor} is sent ${key} in ${scope} ${to.version} as ${textOf(table, row)}, and it was ${after.get(key)}`,
        )
        result.set(key, textOf(table, row))
      }
    }
    const differs = [...new Set([...result.keys(), ...after.keys()])].find((key) => result.get(key) !== after.get(key))
    check(
      'I6',
      differs === undefined,
      () =>
        `a patch of ${scope} from ${from.version} to ${to.version} leaves ${differs} as ${result.get(differs ?? '')}, and it was ${after.get(differs ?? '')}`,
    )
  }

  const checkFrame = (from: Sender, patches: readonly Patch[], seal: Seal | undefined, since: number): void => {
    const { actor } = from
    const readable = truth.readableSince(since, actor)
    const isReadable = (scope: string): boolean => [...readable].some((scopes) => scopes.split(' ').includes(scope))
    for (const patch of patches) {
      check(
        'I9',
        isReadable(patch.scope),
        () => `${actor} is sent ${patch.scope} and may read only ${[...readable].join(' or ')}`,
      )
      checkPatch(actor, patch, seal !== undefined)
    }
    if (seal === undefined) return
    check(
      'I9',
      readable.has([...seal.scopes].sort().join(' ')),
      () => `${actor} is told to read ${seal.scopes.join(' ')}, and could read ${[...readable].join(' or ')}`,
    )
    checkOutcomes(seal.client, seal.outcomes, seal.decided)
  }

  const countEntries = (patches: readonly Patch[]): number =>
    patches.reduce(
      (sum, { rows, gone }) =>
        sum + [...Object.values(rows), ...Object.values(gone)].reduce((inner, list) => inner + list.length, 0),
      0,
    )

  return {
    sent(name, request) {
      const from = device(name)
      check('I8', !hasLeft(from), () => `${name} sends ${request.path} after its session has ended`)
      check(
        'I13',
        Buffer.byteLength(request.body) <= LIMITS.bodyBytes,
        () => `${name} sends ${request.body.length} characters`,
      )
      const said = JSON.parse(request.body) as PushRequest | PullRequest
      if ('intents' in said) checkEntries(from, said)
      else check('I13', said.cursors.length <= LIMITS.scopes, () => `${name} sends ${said.cursors.length} cursors`)
    },
    arrived(name, request) {
      if (request.path === 'push') {
        const { intents } = JSON.parse(request.body) as PushRequest
        if (intents.some((entry) => !('withdraw' in entry) && givenUp.has(entry.id))) history.fault('overtaken', name)
      }
      return truth.moment()
    },
    answered(name, request, answer, since) {
      const from = device(name)
      if (answer.status >= 500 && answer.status !== 503) history.note(`authority failed with ${answer.status}`)
      if (answer.status !== 200) return
      if (request.path === 'push') {
        const { client, outcomes, decided } = JSON.parse(answer.body) as PushAnswer
        check('I13', outcomes.length <= LIMITS.batchIntents, () => `an answer has ${outcomes.length} outcomes`)
        return checkOutcomes(client, outcomes, decided)
      }
      const { patches, seal } = JSON.parse(answer.body) as { readonly patches: readonly Patch[]; readonly seal?: Seal }
      const bytes = Buffer.byteLength(answer.body)
      check(
        'I13',
        bytes <= LIMITS.pageBytes + LIMITS.rowBytes + 65_536 && countEntries(patches) <= LIMITS.pageEntries,
        () => `a page has ${bytes} bytes and ${countEntries(patches)} entries`,
      )
      checkFrame(from, patches, seal, since)
    },
    refusedRubbish(name, request, answer) {
      const status = 'body' in answer ? answer.status : 200
      check(
        'I12',
        refusals.has(status),
        () => `the authority answers ${status} to rubbish from ${name}: ${request.path} ${request.body.slice(0, 300)}`,
      )
      check(
        'I12',
        'body' in answer && isProblem(answer.body),
        () =>
          `the refusal of rubbish from ${name} is no problem of RFC 9457: ${'body' in answer ? answer.body : 'a stream'}`,
      )
    },
    written: (name, isFull) =>
      check('I13', !isFull, () => `the authority goes on writing to ${name}, for whom more waits than the limit`),
    opened(name, _request, opened) {
      const from = device(name)
      let since = opened
      let patches: Patch[] = []
      return (text) => {
        for (const block of text.split('\n\n')) {
          const [, event] = block.match(/^event: (.*)$/m) ?? []
          const [, data] = block.match(/^data: (.*)$/m) ?? []
          if (event === 'patch' && data !== undefined) {
            const patch = JSON.parse(data) as Patch
            check(
              'I13',
              countEntries([patch]) <= LIMITS.liveEntries,
              () => `a live patch has ${countEntries([patch])} entries`,
            )
            patches.push(patch)
          }
          if (event === 'seal' && data !== undefined) {
            checkFrame(from, patches, JSON.parse(data) as Seal, since)
            patches = []
            since = truth.moment()
          }
        }
        history.note(`authority streams to ${name} ${text}`)
      }
    },
  }
}

function isProblem(body: string): boolean {
  try {
    const problem = JSON.parse(body) as { readonly [member: string]: unknown }
    return (
      typeof problem['code'] === 'string' &&
      typeof problem['status'] === 'number' &&
      typeof problem['requestId'] === 'string'
    )
  } catch {
    return false
  }
}
