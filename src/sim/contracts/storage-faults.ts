// The storage contract when things go wrong: the process or the power ends between any two steps, and the disk refuses writes. Each
// case plays random lives from a named seed and holds what the next start finds against a model of what had been acknowledged.
// The model is strict where the contract is: what was acknowledged is there, in order, once; what was refused or left open may be
// there only behind all that was acknowledged, and whole. Frames may be those of an earlier moment, never a part or a mixture.
import type { OutboxEvent } from '../../client/outbox/stored.ts'
import { lastNumberAfter } from '../../client/storage/numbers.ts'
import type { Storage, Stored } from '../../client/storage/storage.ts'
import type { Sequence } from '../../protocol/ids.ts'
import { createDice, type Dice } from '../random.ts'
import { asText, type ContractCase, expectSame, expectThat } from './contract.ts'
import { birth, frame, intent, type StorageAbilities, type StorageHarness } from './storage-harness.ts'

/** The cases for a harness whose process can be stopped. */
export function faultCases({
  stops,
  refuses,
  lives: count,
}: StorageAbilities): readonly ContractCase<StorageHarness>[] {
  const ends = { kill: 'the end of the process', power: 'a power cut' }
  const acknowledged = '[I1] what was acknowledged survives'
  const hasPower = stops.includes('power')
  return [
    ...stops.map((how) => lives(`${acknowledged} ${ends[how]} at any step`, [how], 0, count)),
    ...(hasPower ? [lives(`${acknowledged} ends of processes and power cuts in any order`, stops, 0, count)] : []),
    ...(hasPower && refuses
      ? [lives(`${acknowledged} all that on a disk that refuses writes`, stops, 0.04, count)]
      : []),
  ]
}

type End = 'kill' | 'power'

type Work =
  | { readonly kind: 'append'; readonly labels: readonly number[] }
  | { readonly kind: 'note'; readonly at: number }
  | { readonly kind: 'rewriteOutbox'; readonly events: readonly OutboxEvent[] }
  | { readonly kind: 'keepFrame'; readonly label: number }
  | { readonly kind: 'rewriteFrames'; readonly label: number }

/** How a call ended before the process did. */
type Ending = { readonly kind: 'kept'; readonly value: unknown } | { readonly kind: 'refused' | 'open' }

/** What the next start may find. */
interface Model {
  /** The outbox as far as it was acknowledged. */
  outbox: readonly OutboxEvent[]
  /** Work on the outbox since then that was refused or left open. */
  unsure: Work[]
  /** The lists of frames since the last that was durable; the last of them is the newest. */
  frames: (readonly string[])[]
  /** Lists that refused or open work on frames may have left. */
  unsureFrames: (readonly string[])[]
  hasGap: boolean
}

const newModel = (): Model => ({ outbox: [birth()], unsure: [], frames: [[]], unsureFrames: [], hasGap: false })

function lives(title: string, stops: readonly End[], refusing: number, count: number): ContractCase<StorageHarness> {
  return {
    title,
    async run(makeHarness) {
      const dice = createDice(title)
      let harness = await makeHarness(title)
      let model = newModel()
      const before: End = 'power'
      try {
        for (let life = 0; life < count; life++) {
          // Now and then a new folder, so that the first steps of all are tried often.
          if (life % 8 === 7) {
            await harness.dispose()
            harness = await makeHarness(`${title} ${life}`)
            model = newModel()
          }
          const how = dice.pick(stops) ?? 'power'
          await live(harness, model, dice, { before, how, refusing }).catch((error: unknown) => {
            throw new Error(`In life ${life}: ${error instanceof Error ? error.message : String(error)}`, {
              cause: error,
            })
          })
        }
      } finally {
        await harness.dispose()
      }
    },
  }
}

interface Life {
  /** How the life before this one ended. */
  readonly before: End
  readonly how: End
  /** The probability that a step is refused. */
  readonly refusing: number
}

async function live(harness: StorageHarness, model: Model, dice: Dice, { before, how, refusing }: Life): Promise<void> {
  harness.refuse?.(0, '')
  const storage = await harness.open()
  let hasEnded = false
  // One start in four ends while it is loading.
  const end = harness.stop?.(how, dice.chance(0.25) ? dice.below(12) : 12 + dice.below(90)).then(() => {
    hasEnded = true
  })
  const found = await Promise.race([storage.load(birth()), end])
  if (hasEnded || found === undefined) return
  recognise(found, model, before, harness.keepsNoFrames === true)
  harness.refuse?.(refusing, dice.chance(0.5) ? 'ENOSPC' : 'EIO')
  for (let round = 0; round < 30 && !hasEnded; round++) {
    const works = someWork(dice, model)
    const endings: Ending[] = works.map(() => ({ kind: 'open' }))
    const calls = works.map((work, index) =>
      perform(storage, work).then(
        (value) => {
          endings[index] = { kind: 'kept', value }
        },
        () => {
          endings[index] = { kind: 'refused' }
        },
      ),
    )
    await Promise.race([Promise.all(calls), end])
    works.forEach((work, index) => {
      record(model, work, endings[index] ?? { kind: 'open' })
    })
  }
  if (!hasEnded) await harness.stop?.(how)
}

let label = 0

/** Work of one round: calls that overlap. A rewrite of the outbox says what holds at its call, so it comes alone. */
function someWork(dice: Dice, model: Model): readonly Work[] {
  if (dice.chance(0.06)) return [{ kind: 'rewriteOutbox', events: shortened(model.outbox) }]
  return Array.from({ length: dice.between(1, 4) }, (): Work => {
    label++
    switch (dice.weighted({ append: 6, note: 3, keepFrame: 4, rewriteFrames: 0.5 })) {
      case 'append':
        return { kind: 'append', labels: Array.from({ length: dice.between(1, 3) }, () => ++label) }
      case 'note':
        return { kind: 'note', at: label }
      case 'keepFrame':
        return { kind: 'keepFrame', label }
      default:
        return { kind: 'rewriteFrames', label }
    }
  })
}

/** The same intents under the same numbers, in two events. */
function shortened(outbox: readonly OutboxEvent[]): readonly OutboxEvent[] {
  const intents = outbox.flatMap((event) => (event.kind === 'made' ? event.intents : [])).slice(-20)
  const first = outbox.reduce(lastNumberAfter, 0) - intents.length + 1
  return [
    birth('a', first - 1),
    ...(intents.length === 0 ? [] : [{ kind: 'made', first: first as Sequence, intents } as const]),
  ]
}

function perform(storage: Storage, work: Work): Promise<unknown> {
  switch (work.kind) {
    case 'append':
      return storage.append(work.labels.map((each) => intent(each)))
    case 'note':
      return storage.note(() => [{ kind: 'decided', outcomes: [], at: work.at }])
    case 'rewriteOutbox':
      return storage.rewriteOutbox(() => work.events)
    case 'keepFrame':
      return storage.keepFrame(frame(work.label))
    case 'rewriteFrames':
      return storage.rewriteFrames([frame(work.label, 3)])
  }
}

function record(model: Model, work: Work, ending: Ending): void {
  if (work.kind === 'keepFrame' || work.kind === 'rewriteFrames') {
    const newest = model.frames.at(-1) ?? []
    const text = asText(frame(work.label, work.kind === 'keepFrame' ? 1 : 3))
    const after = work.kind === 'keepFrame' ? [...newest, text] : [text]
    if (ending.kind !== 'kept') {
      model.unsureFrames.push(after, [...(model.unsureFrames.at(-1) ?? newest), text])
      if (work.kind === 'keepFrame') model.hasGap = true
    } else if (work.kind === 'keepFrame') {
      expectThat(!model.hasGap, 'no frame is kept after one that was refused')
      model.frames.push(after)
    } else {
      model.frames = [after]
      model.unsureFrames = []
      model.hasGap = false
    }
    return
  }
  if (ending.kind !== 'kept') {
    model.unsure.push(work)
    return
  }
  if (work.kind === 'append')
    expectSame(ending.value, model.outbox.reduce(lastNumberAfter, 0) + 1, 'the number that an append gives')
  model.outbox = afterWork(model.outbox, work)
  model.unsure = []
}

function afterWork(outbox: readonly OutboxEvent[], work: Work): readonly OutboxEvent[] {
  switch (work.kind) {
    case 'append':
      return [
        ...outbox,
        {
          kind: 'made',
          first: (outbox.reduce(lastNumberAfter, 0) + 1) as Sequence,
          intents: work.labels.map((each) => intent(each)),
        },
      ]
    case 'note':
      return [...outbox, { kind: 'decided', outcomes: [], at: work.at }]
    case 'rewriteOutbox':
      return work.events
    default:
      return outbox
  }
}

/** Refuses what must not be found; what was found is what the model goes on from. */
function recognise(found: Stored, model: Model, before: End, keepsNoFrames: boolean): void {
  const outbox = asText(found.outbox)
  const isExpected =
    asText(model.outbox) === outbox ||
    model.unsure.some((_, from) =>
      model.unsure.some(
        (_, to) => to >= from && asText(model.unsure.slice(from, to + 1).reduce(afterWork, model.outbox)) === outbox,
      ),
    )
  if (!isExpected) expectSame(found.outbox, model.outbox, 'the outbox after the end')
  const frames = found.frames.map(asText)
  const allowed = before === 'kill' ? model.frames.slice(-1) : model.frames
  const isMoment = keepsNoFrames
    ? frames.length === 0
    : [...allowed, ...model.unsureFrames].some(
        (list) => list.length === frames.length && list.every((text, index) => text === frames[index]),
      )
  expectThat(isMoment, `${frames.length} frames are those of one moment (of ${model.frames.length})`)
  model.outbox = found.outbox
  model.unsure = []
  // What the killed process had left to the system may still be lost with the power.
  model.frames = before === 'kill' ? [...model.frames, frames] : [frames]
  model.unsureFrames = []
  model.hasGap = false
}
