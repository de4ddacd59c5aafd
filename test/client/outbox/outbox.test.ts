// The outbox over a memory that fails when told: numbers without holes, group commits, what a journal says when it is read back,
// and that no event, in whatever order, loses an intent.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SyncError } from '../../../src/base/errors.ts'
import type { OutboxEntry } from '../../../src/client/outbox/entry.ts'
import { createOutbox, type Outbox } from '../../../src/client/outbox/outbox.ts'
import { snapshotEvents } from '../../../src/client/outbox/snapshot.ts'
import type { KeptIntent, OutboxEvent } from '../../../src/client/outbox/stored.ts'
import { createMemory, type Memory, openMemoryStorage } from '../../../src/client/storage/memory.ts'
import type { Storage } from '../../../src/client/storage/storage.ts'
import type { ClientId, IntentId, Sequence } from '../../../src/protocol/ids.ts'
import { LIMITS } from '../../../src/protocol/limits.ts'
import type { OutcomeRange } from '../../../src/protocol/outcome.ts'
import { uuid } from '../world.ts'

const CLIENT = uuid(0xc0) as ClientId
const birth = { kind: 'born', format: 1, client: CLIENT, last: 0, retired: 0, at: 0 } as const
const intent = (number: number): KeptIntent => ({
  id: uuid(number) as IntentId,
  name: 'put',
  version: 1,
  args: { number },
  madeAt: number,
})
const applied = (from: number, to: number): OutcomeRange => ({ from, to, status: 'applied' })

interface Bench {
  readonly outbox: Outbox
  readonly memory: Memory
  readonly changed: (readonly OutboxEntry[])[]
  readonly refused: { readonly ids: readonly string[]; readonly error: unknown }[]
  readonly writes: string[]
  settle(): Promise<void>
}

async function open(memory = createMemory(), fail: (verb: string) => unknown = () => undefined): Promise<Bench> {
  const inner = openMemoryStorage(memory)
  const writes: string[] = []
  const guarded = <Verb extends 'append' | 'note' | 'rewriteOutbox'>(verb: Verb): Storage[Verb] =>
    (async (...args: never[]) => {
      writes.push(verb)
      const wait = fail(verb)
      if (wait instanceof Promise) await wait
      else if (wait !== undefined) throw wait
      return (inner[verb] as (...all: never[]) => unknown)(...args)
    }) as unknown as Storage[Verb]
  const storage: Storage = {
    ...inner,
    append: guarded('append'),
    note: guarded('note'),
    rewriteOutbox: guarded('rewriteOutbox'),
  }
  const { outbox: kept } = await storage.load(birth)
  const changed: (readonly OutboxEntry[])[] = []
  const refused: Bench['refused'] = []
  const outbox = createOutbox(storage, kept, (run) => queueMicrotask(run), {
    changed: (entries) => void changed.push(entries),
    left: () => undefined,
    refused: (entries, error) => void refused.push({ ids: entries.map((entry) => entry.intent.id), error }),
  })
  return { outbox, memory, changed, refused, writes, settle: () => new Promise((resolve) => setImmediate(resolve)) }
}

/** What matters of an entry. */
const look = ({
  intent: { id, births },
  sequence,
  givenUp,
  outcome,
  isRepeated,
  decidedAt,
  isReopened,
  isRetired,
}: OutboxEntry) => ({
  id,
  births,
  sequence,
  givenUp: givenUp === undefined ? undefined : { ...givenUp },
  outcome,
  isRepeated,
  decidedAt,
  isReopened,
  isRetired,
})
const all = (outbox: Outbox) => ({
  client: outbox.client,
  first: outbox.first,
  last: outbox.last,
  undecided: outbox.undecided(1_000).map(({ sequence }) => sequence),
  entries: outbox.entries().map(look),
})

describe('appending', () => {
  test('[I1] what comes while one write is under way shares the next, and has no number before it is durable', async () => {
    let letGo: () => void = () => undefined
    const bench = await open(createMemory(), () => new Promise<void>((resolve) => (letGo = resolve)))
    bench.outbox.add(intent(1))
    await bench.settle()
    for (let number = 2; number <= 100; number++) bench.outbox.add(intent(number))
    await bench.settle()
    expect(bench.writes).toEqual(['append'])
    expect(bench.outbox.entries().every(({ sequence }) => sequence === undefined)).toBe(true)
    expect([bench.outbox.last, bench.outbox.countUnsaved(), bench.outbox.undecided(10).length]).toEqual([0, 100, 0])
    letGo()
    await bench.settle()
    expect([bench.outbox.last, bench.outbox.countUnsaved()]).toEqual([1, 99])
    letGo()
    await bench.settle()
    expect(bench.writes).toEqual(['append', 'append'])
    expect(bench.outbox.entries().map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    )
    expect(bench.changed.map((entries) => entries.length)).toEqual([1, 99])
  })

  test('[I18] what the disk refuses gets no number, and the next gets the one that was free', async () => {
    let refuses = false
    const bench = await open(createMemory(), () => (refuses ? new SyncError('storage_failed', 'full') : undefined))
    bench.outbox.add(intent(1))
    await bench.settle()
    refuses = true
    bench.outbox.add(intent(2))
    bench.outbox.add(intent(3))
    await bench.settle()
    expect(bench.refused).toMatchObject([{ ids: [uuid(2), uuid(3)], error: { code: 'storage_failed' } }])
    expect(bench.outbox.get(uuid(2) as IntentId)).toBeUndefined()
    refuses = false
    bench.outbox.add(intent(4))
    await bench.settle()
    expect(bench.outbox.entries().map((entry) => [entry.intent.id, entry.sequence])).toEqual([
      [uuid(1), 1],
      [uuid(4), 2],
    ])
  })

  test('[I18] a refusal takes only its own group along; what came meanwhile is kept', async () => {
    let settleFirst: (error?: unknown) => void = () => undefined
    let writes = 0
    const bench = await open(createMemory(), () =>
      writes++ === 0
        ? new Promise<void>(
            (resolve, reject) => (settleFirst = (error) => (error === undefined ? resolve() : reject(error))),
          )
        : undefined,
    )
    bench.outbox.add(intent(1))
    await bench.settle()
    bench.outbox.add(intent(2))
    settleFirst(new Error('EIO'))
    await bench.settle()
    expect(bench.refused.map(({ ids }) => ids)).toEqual([[uuid(1)]])
    expect(bench.outbox.entries().map((entry) => [entry.intent.id, entry.sequence])).toEqual([[uuid(2), 1]])
  })

  test('settled waits for what was added in the same turn', async () => {
    const bench = await open()
    bench.outbox.add(intent(1))
    await bench.outbox.settled()
    expect(bench.outbox.last).toBe(1)
  })

  test('[I18] storage that gives a number twice is a broken invariant, told as such', async () => {
    const bench = await open()
    bench.outbox.add(intent(1))
    await bench.settle()
    bench.memory.outbox.push({ kind: 'made', first: 9 as Sequence, intents: [intent(9)] })
    const again = await open({ ...bench.memory, isOpen: false }).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(String(again)).toContain('I18 does not hold')
  })
})

describe('deciding', () => {
  test('[I3] the first outcome stays; ranges reach as far as there are entries', async () => {
    const { outbox, settle } = await open()
    for (let number = 1; number <= 4; number++) outbox.add(intent(number))
    await settle()
    await outbox.decide([applied(1, 2)], 10)
    await outbox.decide([{ from: 2, to: 3, status: 'rejected', code: 'no', details: {} }, applied(4, 99)], 20)
    expect(outbox.entries().map(({ outcome }) => outcome?.status)).toEqual([
      'applied',
      'applied',
      'rejected',
      'applied',
    ])
    expect(outbox.entries().map(({ decidedAt }) => decidedAt)).toEqual([10, 10, 20, 20])
    expect([outbox.countUndecided(), outbox.stored, outbox.last]).toEqual([0, 4, 4])
  })

  test('a hole in what was told is asked for again', async () => {
    const { outbox, settle } = await open()
    for (let number = 1; number <= 5; number++) outbox.add(intent(number))
    await settle()
    await outbox.decide([applied(1, 1), applied(4, 5)], 10)
    expect(outbox.undecided(10).map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5])
    await outbox.decide([applied(2, 5)], 20)
    expect(outbox.countUndecided()).toBe(0)
  })

  test('what was told before and what is new stay apart in the shortest journal', async () => {
    const { outbox, memory, settle } = await open()
    for (let number = 1; number <= 2; number++) outbox.add(intent(number))
    await settle()
    await outbox.decide([{ ...applied(1, 1), repeated: true }, applied(2, 2)], 10)
    const shortest = snapshotEvents(outbox.client, outbox.first, outbox.entries(), 10, 0)
    const again = await open({ outbox: shortest, frames: [], isOpen: false })
    expect(again.outbox.entries().map(({ isRepeated }) => isRepeated)).toEqual([true, false])
    expect(memory.outbox).toHaveLength(3)
  })

  test('stored rises only when the outcomes are on disk', async () => {
    let letGo: () => void = () => undefined
    const { outbox, settle } = await open(createMemory(), (verb) =>
      verb === 'note' ? new Promise<void>((resolve) => (letGo = resolve)) : undefined,
    )
    outbox.add(intent(1))
    await settle()
    const stored = outbox.decide([applied(1, 1)], 1)
    await settle()
    expect([outbox.countUndecided(), outbox.stored]).toEqual([0, 0])
    letGo()
    await stored
    expect(outbox.stored).toBe(1)
  })

  test('[I3] after the authority went back, what a person was told stays and is asked for again', async () => {
    const { outbox, settle } = await open()
    for (let number = 1; number <= 3; number++) outbox.add(intent(number))
    await settle()
    await outbox.decide([applied(1, 3)], 10)
    outbox.reopen(2)
    expect(outbox.undecided(10).map(({ sequence }) => sequence)).toEqual([2, 3])
    expect([outbox.stored, outbox.entries().map(({ isReopened }) => isReopened)]).toEqual([1, [false, true, true]])
    await outbox.decide(
      [
        { from: 2, to: 2, status: 'applied', repeated: true },
        { from: 3, to: 3, status: 'rejected', code: 'late', details: {} },
      ],
      20,
    )
    expect(outbox.entries().map(({ outcome, isReopened }) => [outcome?.status, isReopened])).toEqual([
      ['applied', false],
      ['applied', false],
      ['applied', false],
    ])
  })
})

describe('giving up and letting go', () => {
  test('an undecided place is given up, on disk too; a decided one is not', async () => {
    const { outbox, memory, settle } = await open()
    outbox.add(intent(1))
    outbox.add(intent(2))
    await settle()
    await outbox.decide([applied(1, 1)], 1)
    await outbox.giveUp(uuid(1) as IntentId, { as: 'discarded', reason: undefined, detail: undefined })
    await outbox.giveUp(uuid(2) as IntentId, { as: 'parked', reason: 'version', detail: 'why' })
    expect(outbox.entries().map(({ givenUp }) => givenUp?.as)).toEqual([undefined, 'parked'])
    const again = await open({ ...memory, isOpen: false })
    expect(all(again.outbox)).toEqual(all(outbox))
  })

  test('one that is still being saved is given up in the place that it gets', async () => {
    const { outbox, memory, settle } = await open()
    outbox.add(intent(1))
    const given = outbox.giveUp(uuid(1) as IntentId, { as: 'discarded', reason: undefined, detail: undefined })
    await settle()
    await given
    expect(memory.outbox.at(-1)).toMatchObject({ kind: 'withdrawn', sequence: 1, as: 'discarded' })
  })

  test('[I4] only decided, retired and old entries are let go of, from the front, and what is parked stays', async () => {
    const { outbox, settle } = await open()
    for (let number = 1; number <= 6; number++) outbox.add(intent(number))
    await settle()
    await outbox.decide([applied(1, 2)], 10)
    await outbox.giveUp(uuid(3) as IntentId, { as: 'parked', reason: 'fault', detail: 'x' })
    await outbox.decide([{ from: 3, to: 3, status: 'withdrawn', code: 'discarded', details: {} }, applied(4, 5)], 20)
    outbox.retire(1)
    await outbox.tidy(100, 100)
    expect([outbox.first, outbox.entries().length]).toEqual([2, 5])
    outbox.retire(5)
    await outbox.tidy(10, 100)
    expect(outbox.first).toBe(2)
    await outbox.tidy(100, 100)
    expect(outbox.first).toBe(3)
    expect(outbox.get(uuid(1) as IntentId)).toBeUndefined()
    expect(outbox.last).toBe(6)
    outbox.add(intent(7))
    await settle()
    expect(outbox.last).toBe(7)
  })

  test('what was discarded is kept for longer than what was decided, unless the outbox is long', async () => {
    const { outbox, settle } = await open()
    for (let number = 1; number <= 3; number++) outbox.add(intent(number))
    await settle()
    await outbox.giveUp(uuid(2) as IntentId, { as: 'discarded', reason: undefined, detail: undefined })
    await outbox.decide(
      [applied(1, 1), { from: 2, to: 2, status: 'withdrawn', code: 'discarded', details: {} }, applied(3, 3)],
      10,
    )
    outbox.retire(3)
    await outbox.tidy(100, 100, 5)
    expect([outbox.first, outbox.entries().length]).toEqual([2, 2])
    for (let number = 4; number <= 2_005; number++) outbox.add(intent(number))
    await settle()
    await outbox.tidy(100, 100, 5)
    expect(outbox.first).toBe(4)
  })
})

test('[I5] a journal that was written anew leaves it to the frames what is in the rows: they may be lost with the power', async () => {
  const { outbox, memory, settle } = await open()
  for (let number = 1; number <= 600; number++) {
    outbox.add(intent(number))
    await settle()
    await outbox.decide([applied(number, number)], number)
  }
  outbox.retire(600)
  await outbox.tidy(0, 1_000)
  expect(memory.outbox.length).toBeLessThan(1_000)
  const again = await open({ ...memory, isOpen: false })
  expect(again.outbox.entries().some(({ isRetired }) => isRetired)).toBe(false)
  again.outbox.retire(600)
  expect(all(again.outbox)).toEqual(all(outbox))
})

describe('[I4] [I16] a rebirth', () => {
  const next = uuid(0xc1) as ClientId

  test('keeps every intent with its id and order, asks for all again, and takes what was not durable along', async () => {
    let letGo: () => void = () => undefined
    const { outbox, settle, memory } = await open(createMemory(), (verb) =>
      verb === 'rewriteOutbox' ? new Promise<void>((resolve) => (letGo = resolve)) : undefined,
    )
    for (let number = 1; number <= 3; number++) outbox.add(intent(number))
    await settle()
    await outbox.decide([applied(1, 1)], 5)
    outbox.retire(1)
    await outbox.giveUp(uuid(3) as IntentId, { as: 'discarded', reason: undefined, detail: undefined })
    const reborn = outbox.rebirth(next, 9)
    await settle()
    outbox.add(intent(4))
    await settle()
    letGo()
    await reborn
    await settle()
    expect(outbox.client).toBe(next)
    expect(
      outbox.entries().map((entry) => [entry.intent.id, entry.sequence, entry.intent.births?.length ?? 0]),
    ).toEqual([
      [uuid(1), 1, 1],
      [uuid(2), 2, 1],
      [uuid(3), 3, 1],
      [uuid(4), 4, 0],
    ])
    expect(outbox.undecided(10)).toHaveLength(4)
    expect(
      outbox.entries().map(({ isRetired, outcome, givenUp }) => [isRetired, outcome?.status, givenUp?.as]),
    ).toEqual([
      [true, 'applied', undefined],
      [false, undefined, undefined],
      [false, undefined, 'discarded'],
      [false, undefined, undefined],
    ])
    expect([outbox.stored, outbox.last]).toEqual([0, 4])
    const again = await open({ ...memory, isOpen: false })
    expect(all(again.outbox)).toEqual(all(outbox))
  })

  test('[I13] remembers its first and its newest numbers, however often it happens', async () => {
    const { outbox, settle } = await open()
    outbox.add(intent(1))
    await settle()
    for (let number = 1; number <= LIMITS.births + 5; number++)
      await outbox.rebirth(uuid(0x100 + number) as ClientId, number)
    const births = outbox.entries()[0]?.intent.births ?? []
    expect(births).toHaveLength(LIMITS.births)
    expect(births[0]?.[0]).toBe(CLIENT)
    expect(births.at(-1)?.[0]).toBe(uuid(0x100 + LIMITS.births + 4))
  })

  test('that the disk refuses leaves everything as it was', async () => {
    const { outbox, settle } = await open(createMemory(), (verb) =>
      verb === 'rewriteOutbox' ? new Error('ENOSPC') : undefined,
    )
    outbox.add(intent(1))
    await settle()
    const before = all(outbox)
    await expect(outbox.rebirth(next, 1)).rejects.toThrow('ENOSPC')
    expect(all(outbox)).toEqual(before)
    outbox.add(intent(2))
    await settle()
    expect(outbox.last).toBe(2)
  })

  test('[I8] outcomes of the old birth that are still being written do not become outcomes of the new one', async () => {
    let letGo: () => void = () => undefined
    let hold = true
    const bench = await open(createMemory(), (verb) =>
      verb === 'note' && hold ? new Promise<void>((resolve) => (letGo = resolve)) : undefined,
    )
    const { outbox, settle } = bench
    for (let number = 1; number <= 2; number++) outbox.add(intent(number))
    await settle()
    const first = outbox.decide([applied(1, 1)], 1)
    const second = outbox.decide([applied(2, 2)], 2)
    const reborn = outbox.rebirth(next, 3)
    await settle()
    hold = false
    letGo()
    await Promise.all([first, second, reborn])
    expect(outbox.stored).toBe(0)
    expect(outbox.undecided(10)).toHaveLength(2)
    const again = await open({ ...bench.memory, isOpen: false })
    expect(again.outbox.undecided(10)).toHaveLength(2)
  })
})

/** What the journal's birth says to be in the rows. */
const bornRetired = (memory: Memory): number => (memory.outbox[0]?.kind === 'born' ? memory.outbox[0].retired : 0)

test('[I8] [I18] outcomes that come while a new birth is written are not noted under its numbers', async () => {
  let letGo: () => void = () => undefined
  const bench = await open(createMemory(), (verb) =>
    verb === 'rewriteOutbox'
      ? new Promise<void>((resolve) => {
          letGo = resolve
        })
      : undefined,
  )
  const { outbox, settle } = bench
  for (let number = 1; number <= 2; number++) outbox.add(intent(number))
  await settle()
  const reborn = outbox.rebirth(uuid(0xc1) as ClientId, 3)
  await settle()
  const decided = outbox.decide([applied(1, 1)], 1)
  const given = outbox.giveUp(uuid(2) as IntentId, { as: 'discarded', reason: undefined, detail: undefined })
  letGo()
  await Promise.all([reborn, decided, given])
  expect(outbox.undecided(10)).toHaveLength(2)
  // What a person gave up meanwhile is given up in the new birth.
  expect(outbox.entries().map(({ givenUp }) => givenUp?.as)).toEqual([undefined, 'discarded'])
  const again = await open({ ...bench.memory, isOpen: false })
  expect(again.outbox.undecided(10)).toHaveLength(2)
  expect(all(again.outbox)).toEqual(all(outbox))
})

// Random histories: whatever happened, the journal read back gives the same, and so does the shortest journal.
type Step =
  | { readonly do: 'add'; readonly count: number }
  | {
      readonly do: 'decide'
      readonly count: number
      readonly status: 'applied' | 'rejected'
      readonly repeated: boolean
    }
  | { readonly do: 'giveUp'; readonly which: number; readonly as: 'discarded' | 'parked' }
  | { readonly do: 'retire' | 'reopen' | 'tidy'; readonly back: number }
  | { readonly do: 'rebirth' }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('decide' as const),
      count: fc.integer({ min: 1, max: 4 }),
      status: fc.constantFrom('applied' as const, 'rejected' as const),
      repeated: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('giveUp' as const),
      which: fc.nat(9),
      as: fc.constantFrom('discarded' as const, 'parked' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('retire' as const, 'tidy' as const), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'rebirth' }) },
)

test('[I4] [I16] whatever happens, the journal read back, and the shortest journal, say what memory says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { outbox, memory, settle } = await open()
      let made = 0
      let now = 0
      let retired = 0
      const forgotten = new Set<string>()
      for (const one of steps) {
        now++
        const decided = outbox.last - outbox.countUndecided()
        if (one.do === 'add') for (let count = 0; count < one.count; count++) outbox.add(intent(++made))
        if (one.do === 'decide') {
          const to = Math.min(outbox.last, decided + one.count)
          if (to > decided)
            await outbox.decide(
              [
                {
                  from: decided + 1,
                  to,
                  status: one.status,
                  ...(one.status === 'applied' ? {} : { code: 'no', details: {} }),
                  ...(one.repeated ? { repeated: true } : {}),
                },
              ],
              now,
            )
        }
        if (one.do === 'giveUp') {
          const entry = outbox.undecided(10)[one.which]
          if (entry !== undefined)
            await outbox.giveUp(entry.intent.id, {
              as: one.as,
              reason: one.as === 'parked' ? 'fault' : undefined,
              detail: undefined,
            })
        }
        if (one.do === 'retire') {
          retired = Math.max(retired, decided - one.back)
          outbox.retire(retired)
        }
        if (one.do === 'tidy') {
          const before = [...outbox.entries()]
          await outbox.tidy(now - one.back, now)
          for (const entry of before) {
            if (outbox.get(entry.intent.id) !== undefined) continue
            expect(entry.outcome, 'I4: only what is decided is let go of').toBeDefined()
            forgotten.add(entry.intent.id)
          }
        }
        if (one.do === 'rebirth') {
          await outbox.rebirth(uuid(0x1000 + now) as ClientId, now)
          retired = 0
        }
        await settle()
      }
      // [I4] Everything that was added is here, once, in order, or was decided and let go of.
      expect(outbox.entries().map((entry) => entry.intent.id)).toEqual(
        Array.from({ length: made }, (_, index) => uuid(index + 1)).filter((id) => !forgotten.has(id)),
      )
      // [I18] Numbers have no holes.
      expect(outbox.entries().map(({ sequence }) => sequence)).toEqual(
        outbox.entries().map((_, index) => outbox.first + index),
      )
      const readBack = await open({ ...memory, outbox: [...memory.outbox], isOpen: false })
      readBack.outbox.retire(retired)
      expect(all(readBack.outbox)).toEqual(all(outbox))
      const shortest: OutboxEvent[] = snapshotEvents(
        outbox.client,
        outbox.first,
        outbox.entries(),
        now,
        bornRetired(memory),
      )
      const rewritten = await open({ outbox: shortest, frames: [], isOpen: false })
      rewritten.outbox.retire(retired)
      expect(all(rewritten.outbox)).toEqual(all(outbox))
      expect(shortest.length).toBeLessThanOrEqual(memory.outbox.length + outbox.entries().length + 2)
    }),
    { numRuns: 150 },
  )
})
