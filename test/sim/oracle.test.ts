// The oracle's parts by themselves: the plain model means what the app means, the full replay shows what a device should show, and
// the watched disk calls safe only what was synced.
import { describe, expect, test } from 'vitest'
import { createArchive, firstDifference } from '../../src/sim/archive.ts'
import { createChecks } from '../../src/sim/checks.ts'
import { watchDisk } from '../../src/sim/disk-watch.ts'
import { createModel, type PlainIntent } from '../../src/sim/model.ts'
import { createDice } from '../../src/sim/random.ts'
import { type Pending, replay } from '../../src/sim/replay.ts'
import { createSimDisk } from '../../src/sim/storage.ts'

let made = 0
const intent = (name: string, args: PlainIntent['args'], more: Partial<PlainIntent> = {}): PlainIntent & Pending => {
  const id = `i${++made}`
  return { id, root: id, actor: 'ann', name, version: 1, args, madeAt: 7, needs: [], ...more }
}
const set = (id: string, workoutId: string, kg = 50) => ({ id, workoutId, exercise: 'row', reps: 2, kg })

describe('the model', () => {
  test('applies what may be done and refuses the rest, leaving no trace of it', () => {
    const model = createModel()
    const decide = (name: string, args: PlainIntent['args'], more: Partial<PlainIntent> = {}) => {
      const verdict = model.decide(intent(name, args, more))
      return verdict.status === 'applied' ? 'applied' : verdict.code
    }
    expect(decide('startWorkout', { id: 'w', name: 'legs' })).toBe('applied')
    expect(decide('startWorkout', { id: 'w', name: 'legs' })).toBe('row_exists')
    expect(decide('finishWorkout', { id: 'w' })).toBe('workout_empty')
    expect(decide('logSet', set('s1', 'w'))).toBe('applied')
    expect(decide('logSet', set('s2', 'w'), { actor: 'bob' })).toBe('no_workout')
    expect(decide('editSet', { id: 's1', reps: 1, kg: 1 }, { actor: 'bob' })).toBe('row_gone')
    expect(decide('finishWorkout', { id: 'w' })).toBe('applied')
    expect(decide('logSet', set('s2', 'w'))).toBe('workout_closed')
    expect(decide('visit', { id: 'v', gymId: 'g' })).toBe('row_gone')
    model.put('gyms', 'g', { id: 'g', name: 'g' })
    model.put('members', 'm', { id: 'm', gymId: 'g', actorId: 'ann', role: 'reader' })
    expect(decide('visit', { id: 'v', gymId: 'g' })).toBe('forbidden')
    expect(model.rows('visits').size).toBe(0)
    expect([...model.rows('sets').keys()]).toEqual(['s1'])
  })

  test('withdraws what builds on something that was not applied', () => {
    const model = createModel()
    const first = intent('finishWorkout', { id: 'nowhere' })
    expect(model.decide(first)).toEqual({ status: 'rejected', code: 'workout_empty' })
    expect(model.decide(intent('step', { id: 't', by: 1 }, { needs: [first.id] }))).toEqual({
      status: 'withdrawn',
      code: 'dependency',
    })
    expect(model.decide(intent('step', { id: 't', by: 1 }, { needs: ['unknown'] }))).toEqual({ status: 'applied' })
  })

  test('[I11] numbers rows as intents bring them under a parent, new or moved, and takes back what was refused', () => {
    const model = createModel()
    const order = (): readonly string[] =>
      ['a', 'b', 'c', 'd']
        .map((id) => ({ id, at: model.arrival('sets', id) }))
        .filter(({ at }) => at !== undefined)
        .sort((one, other) => Number(one.at) - Number(other.at))
        .map(({ id }) => id)
    for (const id of ['v', 'w', 'x']) model.decide(intent('startWorkout', { id, name: id }))
    for (const id of ['a', 'b', 'c']) model.decide(intent('logSet', set(id, 'w')))
    expect(order()).toEqual(['a', 'b', 'c'])
    model.decide(intent('editSet', { id: 'a', reps: 9, kg: 9 }))
    expect(order()).toEqual(['a', 'b', 'c'])
    model.decide(intent('moveSet', { id: 'a', workoutId: 'v' }))
    expect(order()).toEqual(['b', 'c', 'a'])
    expect(model.decide(intent('moveSet', { id: 'b', workoutId: 'nowhere' })).status).toBe('rejected')
    expect(order()).toEqual(['b', 'c', 'a'])
    // What somebody else puts there comes when it is adopted, and until an intent moves it on nobody says where.
    model.put('sets', 'd', set('d', 'v'))
    model.put('sets', 'c', set('c', 'v'))
    expect(order()).toEqual(['b', 'a'])
    model.decide(intent('moveSet', { id: 'd', workoutId: 'x' }))
    expect(order()).toEqual(['b', 'a', 'd'])
  })

  test('is not changed by what is done to its copy', () => {
    const model = createModel()
    model.decide(intent('step', { id: 't', by: 1 }))
    const copy = model.copy()
    copy.decide(intent('step', { id: 't', by: 5 }))
    expect([model.rows('tallies').get('t')?.['steps'], copy.rows('tallies').get('t')?.['steps']]).toEqual([1, 6])
  })
})

describe('the full replay', () => {
  const confirmed = new Map([
    ['workouts', [{ id: 'w', ownerId: 'ann', name: 'legs', isOpen: true, note: null }]],
    ['sets', [{ id: 's1', workoutId: 'w', position: 4, exercise: 'row', reps: 2, kg: 10 }]],
  ])
  const rowsOf = (table: string) => new Map((confirmed.get(table) ?? []).map((row) => [row.id, row]))

  test('puts new rows behind those that are confirmed, and computes what is derived from all', async () => {
    const shown = await replay(
      rowsOf,
      [
        intent('logSet', set('s2', 'w', 5)),
        intent('logSet', set('s3', 'elsewhere')),
        intent('logSet', set('s4', 'w', 1.25)),
      ],
      true,
    )
    expect([...(shown.get('sets')?.values() ?? [])].map(({ id, position }) => [id, position])).toEqual([
      ['s1', 4],
      ['s2', 5],
      ['s4', 6],
    ])
    expect([...(shown.get('workoutTotals')?.values() ?? [])]).toEqual([
      { id: 'w', sets: 3, volume: 32.5, heaviest: 10, exercises: 'row, squat' },
    ])
  })

  test('shows nothing of what read rows that are not here yet', async () => {
    const shown = await replay(
      () => new Map(),
      [intent('step', { id: 't', by: 1 }), intent('startWorkout', { id: 'w', name: 'x' })],
      false,
    )
    expect(shown.get('tallies')?.size).toBe(0)
    expect(shown.get('workouts')?.size).toBe(1)
  })
})

describe('the watched disk', () => {
  const id = '0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a01'

  test('calls an id safe when a sync has covered it, not before', async () => {
    const sim = createSimDisk({ dice: createDice('watched') })
    const safe: string[] = []
    const disk = watchDisk(
      sim.mount(),
      (name) => sim.image().get(name),
      (found) => safe.push(found),
    )
    const file = await disk.create('a')
    await file.append(new TextEncoder().encode(`{"id":"${id}"}`))
    expect(safe).toEqual([])
    await file.sync()
    expect(safe).toEqual([id])
  })

  test('calls safe what an earlier process wrote when the next one syncs', async () => {
    const sim = createSimDisk({ dice: createDice('watched again') })
    const first = await sim.mount().create('a')
    await first.append(new TextEncoder().encode(id))
    sim.kill()
    const safe: string[] = []
    const file = await watchDisk(
      sim.mount(),
      (name) => sim.image().get(name),
      (found) => safe.push(found),
    ).open('a')
    await file.sync()
    expect(safe).toEqual([id])
  })
})

describe('what is held against each other', () => {
  test('an archive knows only places that were', () => {
    const archive = createArchive()
    archive.add('user:ann', { version: 1, mark: 'aa' }, new Map([['sets/s', 'x']]))
    expect(archive.at('user:ann', { version: 1, mark: 'aa' })?.get('sets/s')).toBe('x')
    expect(archive.at('user:ann', { version: 1, mark: 'bb' })).toBeUndefined()
    expect(archive.at('user:ann', { version: 0, mark: '' })?.size).toBe(0)
  })

  test.each([
    [{ a: '1' }, { a: '1' }, undefined],
    [{ a: '1' }, { a: '2' }, 'a'],
    [{ a: '1', b: '2' }, { a: '1' }, 'b'],
    [{ a: '1' }, { a: '1', c: '3' }, 'c'],
  ])('%j and %j differ in %s', (expected, actual, key) => {
    expect(firstDifference(new Map(Object.entries(expected)), new Map(Object.entries(actual)))).toBe(key)
  })

  test('checks count what they evaluate, and keep what failed', () => {
    const checks = createChecks()
    checks.check('I5', true, () => expect.unreachable())
    checks.check('I5', false, () => 'seen')
    checks.failed(new TypeError('boom'), 'somewhere')
    expect(checks.counts.I5).toBe(2)
    expect(checks.violations[0]).toEqual({ invariant: 'I5', message: 'seen' })
    expect(checks.violations[1]).toMatchObject({ invariant: 'error' })
  })
})
