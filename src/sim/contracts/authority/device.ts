// A device without the engine: it speaks the wire in JSON by hand, so that the authority alone is judged, and believes nothing. Frames
// must begin where it stands, hold only what the app declares, and end with a seal that fits them; anything else fails the case.
import type { Json } from '../../../base/json.ts'
import type { App } from '../../../schema/app.ts'
import { expectSame, expectThat } from '../contract.ts'
import type { Answer } from './stage.ts'
import { createStream, type Stream } from './stream.ts'

/** One intent to be made: mutator, arguments, and members of the entry that are not the usual ones. */
export type Call = readonly [name: string, args: Json, more?: { readonly [member: string]: unknown }]
/** What stands at one number of a push. */
export type Entry = { readonly sequence: number; readonly id: string; readonly [member: string]: unknown }
/** A row of the wire. */
export type WireRow = { readonly id: string; readonly [column: string]: unknown }
/** A place in a scope's history. */
export type Place = { readonly version: number; readonly mark: string; readonly within?: unknown }

/** One scope's part of a frame. */
export interface Patch {
  readonly scope: string
  readonly from: Place
  readonly to: Place
  readonly reset?: true
  readonly rows: { readonly [table: string]: readonly WireRow[] }
  readonly gone: { readonly [table: string]: readonly string[] }
}

/** A range of outcomes. */
export interface Range {
  readonly from: number
  readonly to: number
  readonly status: string
  readonly code?: string
  readonly details?: { readonly [member: string]: unknown }
  readonly repeated?: true
}

/** The end of a frame. */
export interface Seal {
  readonly client: string
  readonly decided: number
  readonly decidedId?: string
  readonly outcomes: readonly Range[]
  readonly scopes: readonly string[]
  readonly at: number
}

/** The answer to a push; members of a problem where it was none. */
export interface Pushed extends Answer {
  readonly decided: number
  readonly outcomes: readonly Range[]
  readonly stop?: { readonly sequence: number; readonly code: string; readonly [member: string]: unknown }
}

/** The answer to a pull. */
export interface Pulled extends Answer {
  readonly patches: readonly Patch[]
  readonly seal?: Seal
}

/** How a device reaches the authority. */
export interface Wire {
  readonly app: App
  newId(): string
  send(path: string, body: unknown, headers: { readonly [name: string]: string }): Promise<Answer>
  listen(body: unknown, headers: { readonly [name: string]: string }): Parameters<typeof createStream>[0]
}

/** A device. */
export interface Device {
  readonly actor: string
  client: string
  last: number
  stored: number
  /** The members that each of its requests has; a case may put others over them. */
  says: { readonly [member: string]: unknown }
  readonly held: Map<string, Map<string, WireRow>>
  readonly cursors: Map<string, Place>
  /** The next intents, with fresh numbers and ids. */
  make(...calls: readonly Call[]): Entry[]
  push(...entries: readonly Entry[]): Promise<Pushed>
  /** Makes and pushes. */
  call(...calls: readonly Call[]): Promise<Pushed>
  /** One page. */
  page(): Promise<Pulled>
  /** Pulls until the seal, which it gives. */
  pull(): Promise<Seal>
  /** Takes a frame, or a page of one. */
  take(patches: readonly Patch[], seal?: Seal): void
  /** The rows of one table that it holds, by id. */
  rows(table: string): WireRow[]
  /** Opens a stream that takes frames as they come. */
  live(): Promise<Stream>
  /** The same actor on a store that was copied or restored: the same client id, numbers and cursors. */
  copy(): Device
}

/** Makes a device. */
export function createDevice(wire: Wire, actor: string, client = wire.newId()): Device {
  const { app } = wire
  const headers = { authorization: `Bearer ${actor}` }
  const known = new Map<string, string>([
    ...app.tableNames.map((name) => [name, columnList(Object.keys(app.table(name).columns))] as const),
    ...Object.entries(app.aggregates).map(
      ([name, { measures }]) => [name, columnList(['id', ...Object.keys(measures)])] as const,
    ),
  ])
  const request = (more: object) => ({
    protocol: 1,
    app: app.fingerprint,
    actor,
    client: device.client,
    last: device.last,
    stored: device.stored,
    ...more,
    ...device.says,
  })
  const cursors = () => [...device.cursors].map(([scope, place]) => ({ scope, ...place }))

  function takePatch({ scope, from, to, reset, rows, gone }: Patch): void {
    const before = device.cursors.get(scope)
    if (reset === true) expectSame(from, { version: 0, mark: '' }, `where the reset of ${scope} begins`)
    else expectSame(from, before ?? { version: 0, mark: '' }, `where the patch of ${scope} begins`)
    expectThat(to.version >= from.version, `the patch of ${scope} leads on`)
    const mine = (reset === true ? undefined : device.held.get(scope)) ?? new Map<string, WireRow>()
    device.held.set(scope, mine)
    for (const [table, list] of Object.entries(rows)) {
      expectThat(known.has(table), `the patch speaks of a table of the app, and not of ${table}`)
      for (const row of list) {
        expectSame(columnList(Object.keys(row)), known.get(table), `the columns of a row of ${table}`)
        mine.set(`${table}/${row.id}`, row)
      }
    }
    for (const [table, list] of Object.entries(gone)) for (const id of list) mine.delete(`${table}/${id}`)
    device.cursors.set(scope, to)
  }

  const device: Device = {
    actor,
    client,
    last: 0,
    stored: 0,
    says: {},
    held: new Map(),
    cursors: new Map(),
    make: (...calls) =>
      calls.map(([name, args, more = {}]) => ({
        sequence: ++device.last,
        id: wire.newId(),
        name,
        version: 1,
        args,
        madeAt: 1_700_000_000_000,
        ...more,
      })),
    async push(...entries) {
      const answer = await wire.send('/sync/push', request({ intents: entries }), headers)
      return { ...answer, ...(answer.body as unknown as Pushed) }
    },
    call: (...calls) => device.push(...device.make(...calls)),
    async page() {
      const answer = await wire.send('/sync/pull', request({ cursors: cursors() }), headers)
      return { ...answer, ...(answer.body as unknown as Pulled) }
    },
    async pull() {
      for (;;) {
        const page = await device.page()
        if (page.status !== 200) throw new Error(`A pull was answered ${page.status} ${JSON.stringify(page.body)}`)
        device.take(page.patches, page.seal)
        if (page.seal !== undefined) return page.seal
      }
    },
    take(patches, seal) {
      for (const patch of patches) takePatch(patch)
      if (seal === undefined) return
      expectSame(seal.client, device.client, 'the client of the seal')
      for (const scope of [...device.cursors.keys()]) {
        if (seal.scopes.includes(scope)) continue
        device.cursors.delete(scope)
        device.held.delete(scope)
      }
      expectSame([...device.cursors.keys()].sort(), [...seal.scopes].sort(), 'the scopes that the frame leaves here')
    },
    rows(table) {
      const found: WireRow[] = []
      for (const rows of device.held.values())
        for (const [key, row] of rows) if (key.startsWith(`${table}/`)) found.push(row)
      return found.sort((a, b) => (a.id < b.id ? -1 : 1))
    },
    live: () => createStream(wire.listen(request({ cursors: cursors() }), headers), device),
    copy() {
      const other = createDevice(wire, actor, device.client)
      other.last = device.last
      other.stored = device.stored
      for (const [scope, place] of device.cursors) other.cursors.set(scope, place)
      for (const [scope, rows] of device.held) other.held.set(scope, new Map(rows))
      return other
    },
  }
  return device
}

const columnList = (names: readonly string[]): string => [...names].sort().join(' ')

/** What an answer says of each number: `applied`, or the code of what it was instead; `repeated` behind what was known before. */
export function told({ outcomes }: { readonly outcomes: readonly Range[] }): string[] {
  const words: string[] = []
  for (const { from, to, status, code, repeated } of outcomes) {
    const word = `${status === 'applied' ? 'applied' : (code ?? status)}${repeated === true ? ' repeated' : ''}`
    for (let sequence = from; sequence <= to; sequence++) words.push(word)
  }
  return words
}
