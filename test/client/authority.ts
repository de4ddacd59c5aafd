// An authority in a hundred lines: it decides in order, keeps a ledger and makes frames, and can be set back to a backup.
// It is no second server: rows are put and edited by rules of its own, so that device and authority share no code here.
import type { NetworkAnswer } from '../../src/client/host.ts'
import { appendOutcome, type Outcome, type OutcomeRange } from '../../src/protocol/outcome.ts'
import { answerOf, problemOf } from './answers.ts'

/** What it reads of a request. */
export interface Body {
  readonly client: string
  readonly last: number
  readonly stored: number
  readonly cursors: readonly { readonly scope: string; readonly version: number; readonly mark: string }[]
  readonly intents: readonly {
    readonly sequence: number
    readonly id: string
    readonly name: string
    readonly args: { readonly id: string; readonly text: string }
    readonly withdraw?: string
  }[]
}
interface Kept {
  readonly id: string
  readonly outcome: Outcome
}
interface Line {
  readonly version: number
  readonly row:
    | { readonly id: string; readonly ownerId: string; readonly text: string; readonly count: number }
    | undefined
}
interface State {
  readonly ledger: Map<string, Outcome>
  readonly decided: Map<string, Kept[]>
  readonly log: Map<string, Line>
  version: number
  era: string
}

export interface TestAuthority {
  readonly state: State
  push(body: string): NetworkAnswer
  pull(body: string): NetworkAnswer
  /** A frame for a device that stands at `version`. */
  frame(client: string, from: number): { readonly patch: object; readonly seal: object }
  /** Somebody else writes. */
  write(id: string, text: string): void
  /** How often each intent id was really decided: never more than once in one history. */
  readonly runs: Map<string, number>
  /** Decides differently for one intent. */
  decideAs: (id: string) => Outcome | undefined
  /** Stops at an intent instead of deciding it. */
  stopAt: (id: string) => object | undefined
  backup(): () => void
}

const scope = 'user:42'
const markOf = (state: State, version: number): string =>
  version === 0 ? '' : `${state.era}${version.toString(16).padStart(4, '0')}`

export function createTestAuthority(): TestAuthority {
  const state: State = { ledger: new Map(), decided: new Map(), log: new Map(), version: 0, era: 'a1' }
  const kept = (client: string): Kept[] => {
    const list = state.decided.get(client) ?? []
    state.decided.set(client, list)
    return list
  }
  const write = (id: string, text: string, count: number): void => {
    state.version++
    state.log.set(id, { version: state.version, row: { id, ownerId: '42', text, count } })
  }
  const run = (name: string, { id, text }: Body['intents'][number]['args']): Outcome => {
    const row = state.log.get(id)?.row
    if (name === 'put') {
      if (row !== undefined) return { status: 'rejected', code: 'row_exists', details: { table: 'notes', id } }
      write(id, text, 0)
    } else if (row === undefined) return { status: 'rejected', code: 'row_gone', details: { table: 'notes', id } }
    else write(id, name === 'edit' ? text : row.text, name === 'bump' ? row.count + 1 : row.count)
    return { status: 'applied' }
  }
  const seal = (client: string, stored: number) => {
    const outcomes: OutcomeRange[] = []
    kept(client).forEach(({ outcome }, index) => {
      if (index + 1 > stored) appendOutcome(outcomes, index + 1, outcome, false)
    })
    return { client, decided: kept(client).length, outcomes, scopes: [scope], at: 1_772_323_200_000 }
  }
  const patchFrom = (from: number, mark: string) => {
    const isKnown = from <= state.version && mark === markOf(state, from)
    const since = isKnown ? from : 0
    const rows = [...state.log]
      .filter(([, { version, row }]) => version > since && row !== undefined)
      .map(([, { row }]) => row)
    return {
      scope,
      from: { version: since, mark: markOf(state, since) },
      to: { version: state.version, mark: markOf(state, state.version) },
      ...(isKnown ? {} : { reset: true }),
      rows: { notes: rows },
      gone: {},
    }
  }
  const authority: TestAuthority = {
    state,
    runs: new Map(),
    decideAs: () => undefined,
    stopAt: () => undefined,
    push(text) {
      const body = JSON.parse(text) as Body
      const mine = kept(body.client)
      const outcomes: OutcomeRange[] = []
      const forked = () => problemOf('forked')
      if (mine.length > body.last) return forked()
      let stop: object | undefined
      for (const entry of body.intents) {
        const known = mine[entry.sequence - 1]
        if (known !== undefined) {
          if (known.id !== entry.id) return forked()
          appendOutcome(outcomes, entry.sequence, known.outcome, true)
          continue
        }
        if (entry.sequence > mine.length + 1)
          stop = { sequence: entry.sequence, code: 'gap', detail: 'A number is missing', expected: mine.length + 1 }
        else if (entry.withdraw === undefined) stop = authority.stopAt(entry.id)
        if (stop !== undefined) {
          stop = { sequence: entry.sequence, ...stop }
          break
        }
        const recorded = state.ledger.get(entry.id)
        const outcome: Outcome =
          recorded ??
          authority.decideAs(entry.id) ??
          (entry.withdraw === undefined
            ? run(entry.name, entry.args)
            : { status: 'withdrawn', code: 'discarded', details: { as: entry.withdraw } })
        if (recorded === undefined) authority.runs.set(entry.id, (authority.runs.get(entry.id) ?? 0) + 1)
        state.ledger.set(entry.id, outcome)
        mine.push({ id: entry.id, outcome })
        appendOutcome(outcomes, entry.sequence, outcome, recorded !== undefined)
      }
      return answerOf(200, {
        requestId: 'req',
        client: body.client,
        decided: mine.length,
        outcomes,
        ...(stop === undefined ? {} : { stop }),
      })
    },
    pull(text) {
      const body = JSON.parse(text) as Body
      const at = body.cursors.find((cursor) => cursor.scope === scope) ?? { version: 0, mark: '' }
      const isHere = at.version === state.version && at.mark === markOf(state, state.version) && body.cursors.length > 0
      return answerOf(200, {
        requestId: 'req',
        patches: isHere ? [] : [patchFrom(at.version, at.mark)],
        seal: seal(body.client, body.stored),
      })
    },
    frame: (client, from) => ({ patch: patchFrom(from, markOf(state, from)), seal: seal(client, 0) }),
    write: (id, text) => write(id, text, 0),
    backup() {
      const copy = structuredClone({
        ledger: state.ledger,
        decided: state.decided,
        log: state.log,
        version: state.version,
      })
      return () => {
        for (const name of ['ledger', 'decided', 'log'] as const) {
          state[name].clear()
          for (const [key, value] of copy[name] as Map<string, never>) state[name].set(key, value)
        }
        state.version = copy.version
        state.era = state.era === 'a1' ? 'b2' : 'c3'
        authority.runs.clear()
      }
    },
  }
  return authority
}
