// Repairs against the real authority: an intent that was refused is tried again, changed, given up and had back, with what builds on it, and
// whatever the authority had done without the device knowing is not done twice.
import { expect, test } from 'vitest'
import { discardIntent, editIntent, repairOf, retryIntent } from '../../../src/client/index.ts'
import { type Device, listed, type RepairStage, repairStage, shown, until } from './repair-stage.ts'

const idOf = (device: Device, name: string): string =>
  device.outbox().find((item) => item.name === name)?.id ?? 'none is listed'

/** The authority has decided what was sent, and the device does not know. It is paused, and the network is back. */
async function lostAnswer(stage: RepairStage, device: Device): Promise<void> {
  await until(device, () => stage.isOffline && device.inspect().entries.every(({ isSending }) => !isSending))
  device.pause()
  stage.isOffline = false
}

/** A workout with a set and a lap in it, made without a connection. */
async function deepWorkout(device: Device): Promise<{ workout: string; set: string }> {
  const started = device.mutate.start({ name: 'Legs' })
  await started.saved
  const [workout] = [...device.inspect().replica.rows('workouts')].map(({ id }) => id)
  await device.mutate.log({ workoutId: workout ?? '', reps: 5 }).saved
  const [set] = [...device.inspect().replica.rows('sets')].map(({ id }) => id)
  await device.mutate.lap({ setId: set ?? '', ms: 900 }).saved
  return { workout: workout ?? '', set: set ?? '' }
}

test('what was refused comes back as one repair: retried in order with the same rows, it is decided anew and leaves the list', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone', { startPaused: true })
  const { workout, set } = await deepWorkout(device)
  const before = device.inspect().entries.map(({ intent }) => intent.id)
  stage.refused.set('start', 'not_now')
  device.resume()
  await device.quiet()
  expect(listed(device)).toEqual(['start failed', 'log failed', 'lap failed'])
  expect(device.outbox().map(({ outcome }) => outcome?.status === 'applied' || outcome?.code)).toEqual([
    'not_now',
    'dependency',
    'dependency',
  ])
  const repair = repairOf(device, idOf(device, 'lap'))
  expect(repair).toEqual({ canRetry: true, canEdit: true, canDiscard: true, group: before, dependants: [before[2]] })

  stage.refused.clear()
  const handle = await retryIntent(device, idOf(device, 'lap'))
  expect(await handle.decided).toEqual({ status: 'applied', repeated: false })
  await device.quiet()
  expect(listed(device)).toEqual([])
  expect([...device.inspect().replica.confirmedRows('workouts').keys()]).toEqual([workout])
  expect([...device.inspect().replica.confirmedRows('sets').keys()]).toEqual([set])
  expect(shown(device, 'laps')).toEqual([{ ms: 900 }])
  const again = device.inspect().entries.slice(3)
  expect(again.map(({ intent }) => intent.root)).toEqual(before)
  expect(again.map(({ intent }) => intent.needs)).toEqual([undefined, [again[0]?.intent.id], [again[1]?.intent.id]])
})

test('a change of what waits shows at once, and only what was meant last is run', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone', { startPaused: true })
  const { workout } = await deepWorkout(device)
  const edited = await editIntent(device, idOf(device, 'start'), { name: 'Back' })
  expect(shown(device, 'workouts')).toEqual([{ name: 'Back' }])
  expect(shown(device, 'laps')).toEqual([{ ms: 900 }])
  await edited.saved
  expect(listed(device)).toEqual(['start queued', 'log queued', 'lap queued'])
  device.resume()
  await device.quiet()
  expect(await edited.decided).toEqual({ status: 'applied', repeated: false })
  expect([...device.inspect().replica.confirmedRows('workouts').values()]).toEqual([
    { id: workout, ownerId: 'anna', name: 'Back' },
  ])
  expect(shown(device, 'laps')).toEqual([{ ms: 900 }])
  expect(listed(device)).toEqual([])
})

test('[I16] a new start finds the new intents in the place of the old ones, also when the journal was written anew', async () => {
  const stage = await repairStage()
  const first = await stage.open('phone', { startPaused: true })
  await deepWorkout(first)
  const [workout] = [...first.inspect().replica.rows('workouts')]
  await (await editIntent(first, idOf(first, 'log'), { workoutId: workout?.id ?? '', reps: 8 })).saved
  await stage.close(first)
  const again = await stage.open('phone')
  expect(listed(again)).toEqual(['start queued', 'log queued', 'lap queued'])
  await again.quiet()
  expect(shown(again, 'sets')).toEqual([{ reps: 8 }])
  expect(shown(again, 'laps')).toEqual([{ ms: 900 }])
  expect(again.inspect().entries.map(({ outcome }) => outcome?.status)).toEqual([
    'applied',
    'withdrawn',
    'withdrawn',
    'applied',
    'applied',
  ])
  // Those of the first line are long done when the journal is written anew.
})

test('a change that the mutator refuses here keeps nothing, and what was there stands', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone', { startPaused: true })
  const { workout } = await deepWorkout(device)
  const refused = editIntent(device, idOf(device, 'log'), { workoutId: workout, reps: -1 })
  await expect(refused).rejects.toThrow(/rejected with negative/)
  expect(shown(device, 'sets')).toEqual([{ reps: 5 }])
  expect(shown(device, 'laps')).toEqual([{ ms: 900 }])
  expect(device.inspect().entries).toHaveLength(3)
  await expect(editIntent(device, idOf(device, 'log'), new Map())).rejects.toMatchObject({ code: 'arguments_invalid' })
  device.resume()
  await device.quiet()
  expect(shown(device, 'laps')).toEqual([{ ms: 900 }])
})

test('[I3] what was applied without the device knowing is not applied again by a retry or an undo, however often', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone')
  await until(device, () => device.inspect().isComplete)
  stage.lost = 1
  await device.mutate.add({ by: 1 }).saved
  await lostAnswer(stage, device)
  for (let round = 0; round < 3; round++) {
    const discarded = await discardIntent(device, idOf(device, 'add'))
    expect(shown(device, 'counters')).toEqual([])
    expect(listed(device)).toEqual([])
    const [handle] = await discarded.undo()
    await handle?.saved
    expect(shown(device, 'counters')).toEqual([{ n: 1 }])
    await (await retryIntent(device, idOf(device, 'add'))).saved
  }
  device.resume()
  await device.quiet()
  expect(shown(device, 'counters')).toEqual([{ n: 1 }])
  expect(listed(device)).toEqual([])
  expect(device.inspect().entries.at(-1)).toMatchObject({ outcome: { status: 'applied' }, isRepeated: true })
})

test('a change of what was applied without the device knowing runs on top of it', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone', { startPaused: true })
  const { workout } = await deepWorkout(device)
  await device.mutate.rename({ id: workout, name: 'Arms' }).saved
  stage.lost = 1
  device.resume()
  await lostAnswer(stage, device)
  await (await editIntent(device, idOf(device, 'rename'), { id: workout, name: 'Back' })).saved
  device.resume()
  await device.quiet()
  expect(shown(device, 'workouts')).toEqual([{ name: 'Back' }])
  expect(listed(device)).toEqual([])
})

test('a changed insert of what is there comes back to the person, and what was built on the first one is neither lost nor doubled', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone', { startPaused: true })
  await deepWorkout(device)
  stage.lost = 1
  device.resume()
  await lostAnswer(stage, device)
  const late = await editIntent(device, idOf(device, 'start'), { name: 'Another' })
  device.resume()
  await device.quiet()
  expect(await late.decided).toMatchObject({ status: 'rejected', code: 'row_exists' })
  expect(shown(device, 'workouts')).toEqual([{ name: 'Legs' }])
  expect(shown(device, 'laps')).toEqual([{ ms: 900 }])
  expect(listed(device)).toEqual(['start failed'])
})

test('while an intent is on its way its outcome comes first: then there is nothing to change', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone')
  const handle = device.mutate.add({ by: 1 })
  await until(device, () => device.inspect().entries[0]?.isSending === true)
  expect(repairOf(device, handle.id)).toMatchObject({ canEdit: false, canRetry: false })
  await expect(editIntent(device, handle.id, { by: 5 })).rejects.toMatchObject({ code: 'settled' })
  await device.quiet()
  expect(shown(device, 'counters')).toEqual([{ n: 1 }])
  await expect(retryIntent(device, handle.id)).rejects.toMatchObject({ code: 'settled' })
  await expect(discardIntent(device, handle.id)).rejects.toMatchObject({ code: 'settled' })
  await expect(retryIntent(device, '00000000-0000-4000-8000-000000000001')).rejects.toMatchObject({ code: 'row_gone' })
})

test('asked twice at once, a retry is made once', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone')
  stage.refused.set('add', 'not_now')
  await device.mutate.add({ by: 1 }).saved
  await device.quiet()
  stage.refused.clear()
  const id = idOf(device, 'add')
  const [one, two] = [retryIntent(device, id), retryIntent(device, id)]
  await expect(two).rejects.toMatchObject({ code: 'settled' })
  await (await one).saved
  await device.quiet()
  expect(shown(device, 'counters')).toEqual([{ n: 1 }])
})
