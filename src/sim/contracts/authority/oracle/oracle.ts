// The oracle of rights: random actors try random verbs on random rows, alone, hidden in the middle of batches, many actors in one commit,
// and around moves by plain SQL. What the authority answers and what devices then hold is compared with the model, word for word and row
// by row. I9.
import type { Json } from '../../../../base/json.ts'
import { createDice, type Dice } from '../../../random.ts'
import { asText } from '../../contract.ts'
import { type Call, type Device, type Entry, type Pushed, told } from '../device.ts'
import type { Ground, Surroundings } from '../ground.ts'
import { openAlone, type Stage } from '../stage.ts'
import { ACTORS, anyDeed, anyPlace, foreignDeed } from './deeds.ts'
import { createModel, type Deed, PLACING, type RightsModel } from './model.ts'

/** What a run of the oracle came to. */
export interface Verdict {
  /** Intents and pulls. */
  readonly requests: number
  readonly disagreements: number
  readonly byVerb: { readonly [verb: string]: number }
  readonly byOutcome: { readonly [outcome: string]: number }
  readonly commits: number
  readonly rowsCompared: number
  /** The first disagreements, in words. */
  readonly first: readonly string[]
}

/** One request: what is asked, and what the model says to it. */
interface Asked {
  readonly verb: string
  readonly call: Call
  decide(): string
}

/** Tries `requests` requests. `onProgress` hears how many are done. */
export async function runOracle(
  surroundings: Surroundings,
  seed: string,
  requests: number,
  onProgress: (done: number) => void,
): Promise<Verdict> {
  const ground = await surroundings.makeGround()
  const stage = await openAlone(surroundings, ground, `oracle ${seed}`, {
    tuning: { rate: { perSecond: Number.POSITIVE_INFINITY, burst: 1 } },
    mutators: { act: actAtAuthority as never },
  })
  try {
    return await judge(stage, ground, createDice(`oracle ${seed}`), requests, onProgress)
  } finally {
    await stage.authority.close()
    await ground.close()
  }
}

async function judge(
  stage: Stage,
  ground: Ground,
  dice: Dice,
  requests: number,
  onProgress: (done: number) => void,
): Promise<Verdict> {
  const model = createModel()
  const devices = new Map<string, Device[]>(ACTORS.map((actor) => [actor, [stage.device(actor), stage.device(actor)]]))
  const byVerb: { [verb: string]: number } = {}
  const byOutcome: { [outcome: string]: number } = {}
  const first: string[] = []
  let done = 0
  let disagreements = 0
  let commits = 0
  let rowsCompared = 0
  const count = (verb: string): void => {
    byVerb[verb] = (byVerb[verb] ?? 0) + 1
    done++
  }
  const disagree = (what: string): void => {
    disagreements++
    if (first.length < 10) first.push(what)
  }
  const deviceOf = (actor: string): Device => dice.pick(devices.get(actor) ?? []) as Device

  /** Several actors push at once, each a batch. */
  async function pushRound(): Promise<void> {
    const actors = new Set(
      Array.from({ length: dice.chance(0.4) ? dice.between(2, 4) : 1 }, () => dice.pick(ACTORS) ?? ''),
    )
    const batches = [...actors].map((actor) => {
      const device = deviceOf(actor)
      const asked = Array.from({ length: dice.between(1, 14) }, () => anyRequest(dice, model, actor))
      return { actor, device, asked, entries: device.make(...asked.map(({ call }) => call)) }
    })
    const answers = await Promise.all(batches.map(({ device, entries }) => device.push(...entries)))
    commits++
    // What waits for the writer is decided in the order in which it came.
    for (const [index, { actor, asked, entries }] of batches.entries())
      compareOutcomes(actor, asked, entries, answers[index])
    model.settle()
  }

  function compareOutcomes(
    actor: string,
    asked: readonly Asked[],
    entries: readonly Entry[],
    answer: Pushed | undefined,
  ): void {
    model.beginBatch()
    const words = answer === undefined || answer.status !== 200 ? [] : told(answer)
    const seen = new Map(answer?.outcomes?.map(({ from, details }) => [from, details]) ?? [])
    for (const [index, { verb, call, decide }] of asked.entries()) {
      count(verb)
      const should = decide()
      const details = seen.get(entries[index]?.sequence ?? 0)
      const is = words[index] === 'seen' ? `seen ${asText(details)}` : (words[index] ?? `nothing (${answer?.status})`)
      const word = (words[index] ?? 'nothing').split(' ')[0] ?? ''
      byOutcome[word] = (byOutcome[word] ?? 0) + 1
      if (is !== should) disagree(`${actor} asks for ${asText(call)} and is told ${is}; the model says ${should}`)
    }
  }

  /** A device pulls, by what it has, from nothing, or with cursors that are not its own. */
  async function pullRound(): Promise<void> {
    const actor = dice.pick(ACTORS) ?? ''
    const way = dice.weighted({ known: 6, fresh: 2, forged: 2 })
    const device = way === 'known' ? deviceOf(actor) : stage.device(actor)
    count(way === 'known' ? 'pull' : `pull ${way}`)
    try {
      if (way === 'forged') await comparePage(device)
      await device.pull()
    } catch (error) {
      // Such a device would have stopped; another one of the actor goes on in its place.
      disagree(`a device of ${actor} cannot pull: ${error instanceof Error ? error.message : String(error)}`)
      devices.set(actor, [stage.device(actor), stage.device(actor)])
      return
    }
    const should = model.replicaOf(actor)
    let held = 0
    for (const [scope, rows] of device.held) {
      for (const [key, { position: _, ...row }] of rows) {
        held++
        const expected = should.get(`${scope} ${key}`)
        if (asText(row) !== asText(expected))
          disagree(`a device of ${actor} holds ${scope} ${key} ${asText(row)}; the model says ${asText(expected)}`)
      }
    }
    rowsCompared += held
    if (held !== should.size) {
      const missing = [...should.keys()].filter(
        (key) => device.held.get(key.split(' ')[0] ?? '')?.has(key.split(' ')[1] ?? '') !== true,
      )
      if (missing.length > 0) disagree(`a device of ${actor} lacks ${missing.join(', ')}`)
    }
    const scopes = [...model.rightsOf(actor).read].sort()
    if (asText([...device.cursors.keys()].sort()) !== asText(scopes))
      disagree(`a device of ${actor} holds ${[...device.cursors.keys()]}; the model says ${scopes}`)
  }

  /** With forged cursors nothing comes of a scope that may not be read. */
  async function comparePage(device: Device): Promise<void> {
    const cursors = [...ACTORS.map((actor) => `user:${actor}`), 'team:oak', 'team:elm', 'team:none']
      .filter(() => dice.chance(0.5))
      .map((scope) => ({ scope, version: dice.below(200), mark: dice.chance(0.5) ? '' : 'ab12' }))
    device.says = { cursors }
    const page = await device.page()
    device.says = {}
    const { read } = model.rightsOf(device.actor)
    for (const { scope } of page.patches ?? [])
      if (!read.has(scope)) disagree(`${device.actor} is sent a patch of ${scope}`)
    for (const scope of page.seal?.scopes ?? []) if (!read.has(scope)) disagree(`${device.actor} is sealed ${scope}`)
  }

  /** Another program writes; the authority adopts it with whatever comes next. */
  async function foreignRound(): Promise<void> {
    const deed = foreignDeed({ dice, model })
    try {
      await writePlainly(ground, model, deed)
    } catch (error) {
      return disagree(`plain SQL cannot do ${asText(deed)}: ${error instanceof Error ? error.message : String(error)}`)
    }
    model.force(deed)
    // Where rows are between two foreign commits nobody sees: it counts from the adoption.
    await stage.device('judge').page()
    model.settle()
    byVerb['plain SQL'] = (byVerb['plain SQL'] ?? 0) + 1
  }

  for (let round = 0; round < 12; round++) await foreignRound()
  while (done < requests) {
    const what = dice.weighted({ push: 10, pull: 8, foreign: 1 })
    if (what === 'push') await pushRound()
    else if (what === 'pull') await pullRound()
    else await foreignRound()
    onProgress(done)
  }
  return { requests: done, disagreements, byVerb, byOutcome, commits, rowsCompared, first }
}

const capital = (table: string): string => `${table.charAt(0).toUpperCase()}${table.slice(1)}`

/** One request: a generated verb, several in one mutator, or a look. */
function anyRequest(dice: Dice, model: RightsModel, actor: string): Asked {
  const kind = dice.weighted({ one: 8, several: 1, look: 1.5 })
  if (kind === 'look') {
    const { table, id } = anyPlace({ dice, model, actor })
    return {
      verb: 'look',
      call: ['act', { look: table, id }],
      decide() {
        const ids = model.seen(actor, table)
        return `seen ${asText({ ids, has: ids.includes(id) })}`
      },
    }
  }
  if (kind === 'several') {
    const deeds = Array.from({ length: dice.between(2, 4) }, () => anyDeed({ dice, model, actor }))
    return {
      verb: 'several',
      call: ['act', { deeds: deeds as unknown as Json }],
      decide: () => model.intend(actor, deeds),
    }
  }
  const deed = anyDeed({ dice, model, actor })
  return { verb: deed.verb, call: callOf(deed), decide: () => model.intend(actor, [deed]) }
}

function callOf(deed: Deed): Call {
  const name = capital(deed.table)
  if (deed.verb === 'insert') return [`insert${name}`, deed.row]
  if (deed.verb === 'delete') return [`delete${name}`, { id: deed.id }]
  return [`update${name}`, { id: deed.id, ...deed.patch }]
}

interface AnyTable {
  get(id: string): Promise<unknown>
  insert(row: Json): Promise<void>
  update(id: string, patch: Json): Promise<void>
  delete(id: string): Promise<void>
  where(filter: object): { all(): Promise<readonly { readonly id: string }[]> }
}

/** The mutator at the authority: does several deeds, or tells what it sees. */
async function actAtAuthority(
  tx: { readonly [table: string]: AnyTable } & { reject(code: string, details: object): never },
  { deeds, look, id }: { readonly deeds?: readonly Deed[]; readonly look?: string; readonly id?: string },
): Promise<void> {
  for (const deed of deeds ?? []) {
    const table = tx[deed.table] as AnyTable
    if (deed.verb === 'insert') await table.insert(deed.row)
    else if (deed.verb === 'delete') await table.delete(deed.id)
    else await table.update(deed.id, deed.patch)
  }
  if (look === undefined) return
  const table = tx[look] as AnyTable
  const ids = (await table.where({}).all()).map((row) => row.id).sort()
  tx.reject('seen', { ids, has: (await table.get(id ?? '')) !== undefined })
}

/** The same deed in SQL, where it can be done at all. */
async function writePlainly({ foreign }: Ground, model: RightsModel, deed: Deed): Promise<void> {
  const rows = model.tables.get(deed.table)
  if (deed.verb === 'insert') {
    if (rows?.has(deed.row.id)) await foreign.all(`DELETE FROM "${deed.table}" WHERE id = ?`, [deed.row.id])
    const columns = Object.keys(deed.row).map((name) => `"${name}"`)
    await foreign.all(
      `INSERT INTO "${deed.table}" (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      Object.values(deed.row) as (string | number | boolean | null)[],
    )
    return
  }
  if (deed.verb === 'delete') {
    await foreign.all(`DELETE FROM "${deed.table}" WHERE id = ?`, [deed.id])
    return
  }
  // A row that moves gives its position up, as a plain statement must.
  const isPlaced = PLACING[deed.table]?.parent !== undefined && deed.verb === 'move'
  const set = Object.keys(deed.patch).map((name) => `"${name}" = ?`)
  await foreign.all(
    `UPDATE "${deed.table}" SET ${[...set, ...(isPlaced ? ['position = NULL'] : [])].join(', ')} WHERE id = ?`,
    [...(Object.values(deed.patch) as (string | number)[]), deed.id],
  )
}
