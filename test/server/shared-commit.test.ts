// What batches owe each other that are decided together in one commit: each is decided over what those before it left, as if they had
// been committed one by one, and none pays for another.
import { expect, test } from 'vitest'
import { grants, type Stage, stage, uuid } from './scenario.ts'

const workout = (id: string, ownerId: string) => ['insertWorkouts', { id, ownerId, name: 'Legs', done: false }] as const
const codes = (outcomes: readonly { readonly status: string; readonly code?: string | undefined }[]) =>
  outcomes.map(({ status, code }) => code ?? status)

/** Counts the transactions from here on that were kept. */
function countCommits({ database }: Stage): () => number {
  let commits = 0
  const { write } = database
  Object.assign(database, {
    write: async (body: Parameters<typeof write>[0]) => {
      const result = await write(body)
      commits++
      return result
    },
  })
  return () => commits
}

test('[I9] children that another batch of the commit left without a parent keep its id from others', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  const [w, s] = [uuid(), uuid()]
  const commits = countCommits(on)
  const [first, second] = await Promise.all([
    ben.call(workout(w, 'ben'), ['insertSets', { id: s, workoutId: w, reps: 1, kg: 1 }], ['deleteWorkouts', { id: w }]),
    anna.call(workout(w, 'anna')),
  ])
  expect(commits()).toBe(1)
  expect(first).toMatchObject({ decided: 3, outcomes: [{ from: 1, to: 3, status: 'applied' }] })
  expect(codes(second.outcomes)).toEqual(['row_exists'])
})

test('[I9] a right that one batch gives or takes counts for the next one of the commit', async () => {
  const on = await stage()
  const [anna, ben] = [on.device('anna'), on.device('ben')]
  on.foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m1', 'g', 'ben', 'coach')")
  const note = () => ['insertNotes', { id: uuid(), gymId: 'g', text: 'hello' }] as const
  const commits = countCommits(on)
  const [, given] = await Promise.all([
    ben.call(['insertMembers', { id: 'm2', gymId: 'g', userId: 'anna', role: 'guest' }]),
    anna.call(note()),
  ])
  const [, taken] = await Promise.all([ben.call(['deleteMembers', { id: 'm2' }]), anna.call(note())])
  expect(commits()).toBe(2)
  expect([...codes(given.outcomes), ...codes(taken.outcomes)]).toEqual(['applied', 'forbidden'])
})

test('[I3] an intent that comes from two births of one device in one commit runs once', async () => {
  const on = await stage()
  const [before, after] = [on.device('anna'), on.device('anna')]
  const [intent] = before.make(workout(uuid(), 'anna'))
  if (intent === undefined) throw new Error('no intent was made')
  after.last = 1
  const commits = countCommits(on)
  const [first, second] = await Promise.all([before.push(intent), after.push(intent)])
  expect(commits()).toBe(1)
  expect(first).toMatchObject({ outcomes: [{ from: 1, to: 1, status: 'applied' }] })
  expect(second).toMatchObject({ outcomes: [{ from: 1, to: 1, status: 'applied', repeated: true }] })
  expect(on.foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 1 }])
  expect(on.foreign('SELECT count(*) AS n FROM holdfast_ledger')).toEqual([{ n: 2 }])
})

test('[I10] a batch that is refused after some of it was done leaves nothing behind, and the others of the commit are decided', async () => {
  const on = await stage({
    grants: async (actor, tx) => {
      if (actor === 'anna' && (await tx.members.get('bad')) !== undefined) throw new Error('no rights today')
      return grants(actor, tx)
    },
  })
  on.foreign("INSERT INTO members (id, gymId, userId, role) VALUES ('m1', 'g', 'anna', 'coach')")
  const [anna, ben, cleo] = [on.device('anna'), on.device('ben'), on.device('cleo')]
  const commits = countCommits(on)
  const [first, second, third] = await Promise.all([
    ben.call(workout(uuid(), 'ben')),
    anna.call(
      workout(uuid(), 'anna'),
      ['insertMembers', { id: 'bad', gymId: 'g', userId: 'x', role: 'guest' }],
      workout(uuid(), 'anna'),
    ),
    cleo.call(workout(uuid(), 'cleo')),
  ])
  expect(commits()).toBe(1)
  expect(second).toMatchObject({ status: 500, body: { code: 'internal' } })
  for (const answer of [first, third]) expect(answer).toMatchObject({ decided: 1 })
  expect(on.foreign('SELECT count(*) AS n FROM workouts')).toEqual([{ n: 2 }])
  expect(on.foreign('SELECT count(*) AS n FROM members')).toEqual([{ n: 1 }])
})
