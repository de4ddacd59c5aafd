// The rescue bundle: what a device has not got through goes into one document and comes in elsewhere, by another device or by the command,
// as often as anybody likes, and is decided once.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { main } from '../../../src/cli/main.ts'
import { discardIntent, editIntent, exportUnsent, importUnsent, retryIntent } from '../../../src/client/index.ts'
import { parseBundle, type RescueBundle } from '../../../src/client/outbox/rescue.ts'
import { type Device, listed, type RepairStage, repairStage, shown, until } from './repair-stage.ts'

const idOf = (device: Device, name: string): string =>
  device.outbox().find((item) => item.name === name)?.id ?? 'none is listed'

/** A bundle as it is after a way through a file. */
const through = (bundle: RescueBundle): RescueBundle => JSON.parse(JSON.stringify(bundle)) as RescueBundle

/**
 * A device with something of everything: a workout that was applied without its knowing, a changed set in it, a refused addition, another one
 * that was discarded, and a second workout that never left.
 */
async function troubled(stage: RepairStage): Promise<Device> {
  const device = await stage.open('phone')
  await until(device, () => device.inspect().isComplete)
  stage.refused.set('add', 'not_now')
  await device.mutate.add({ by: 1 }).saved
  await device.quiet()
  stage.lost = 1
  await device.mutate.start({ name: 'Legs' }).saved
  await until(device, () => stage.isOffline && device.inspect().entries.every(({ isSending }) => !isSending))
  stage.refused.clear()
  const [workout] = [...device.inspect().replica.rows('workouts')]
  await device.mutate.log({ workoutId: workout?.id ?? '', reps: 5 }).saved
  await (await editIntent(device, idOf(device, 'log'), { workoutId: workout?.id ?? '', reps: 8 })).saved
  const unwanted = device.mutate.add({ by: 100 })
  await unwanted.saved
  await discardIntent(device, unwanted.id)
  await device.mutate.start({ name: 'Arms' }).saved
  return device
}

test('[I3] a bundle holds all that did not get through, and comes in on another device once, however often', async () => {
  const stage = await repairStage()
  const device = await troubled(stage)
  const bundle = through(await exportUnsent(device))
  expect(bundle.intents.map(({ name, state, reason }) => [name, state, reason])).toEqual([
    ['add', 'failed', 'not_now'],
    ['start', 'waiting', undefined],
    ['log', 'replaced', undefined],
    ['log', 'waiting', undefined],
    ['add', 'discarded', undefined],
    ['start', 'waiting', undefined],
  ])
  expect(bundle.intents[1]?.births).toEqual([[bundle.client, 2]])
  // The device is gone; another one of the same person takes over.
  await stage.close(device)
  stage.isOffline = false
  const other = await stage.open('tablet')
  expect(await importUnsent(other, bundle)).toEqual({ taken: 5, known: 0, left: 1 })
  expect(await importUnsent(other, through(bundle))).toEqual({ taken: 0, known: 5, left: 1 })
  await other.quiet()
  expect(shown(other, 'workouts')).toHaveLength(2)
  expect(shown(other, 'sets')).toEqual([{ reps: 8 }])
  expect(shown(other, 'counters')).toEqual([])
  expect(listed(other)).toEqual(['add failed'])
  await (await retryIntent(other, idOf(other, 'add'))).decided
  expect(await importUnsent(other, bundle)).toEqual({ taken: 0, known: 5, left: 1 })
  await other.quiet()
  expect(shown(other, 'counters')).toEqual([{ n: 1 }])
  // The device that was thought lost comes back, and says what it has.
  const back = await stage.open('phone')
  await back.quiet()
  expect(shown(back, 'workouts')).toHaveLength(2)
  expect(shown(back, 'sets')).toEqual([{ reps: 8 }])
  expect(shown(back, 'counters')).toEqual([{ n: 1 }])
})

test('[I3] `holdfast replay` decides each intent of a bundle once, says what became of it, and a second time does nothing', async () => {
  const stage = await repairStage()
  const device = await troubled(stage)
  writeFileSync(join(stage.folder, 'bundle.json'), JSON.stringify(await exportUnsent(device)))
  stage.isOffline = false
  device.pause()
  const replay = async (...words: readonly string[]) => {
    const lines: string[] = []
    const say = (text: string): void => void lines.push(text)
    const code = await main(['replay', 'bundle.json', '--url', stage.url, ...words], {
      out: say,
      err: say,
      cwd: stage.folder,
    })
    return { code, said: lines.join('\n') }
  }
  const first = await replay('--token', 'anna')
  expect(first.code).toBe(1)
  expect(first.said).toMatch(/^rejected add .* \(not_now\)$/m)
  expect(first.said).toMatch(/6 intents: 3 applied \(1 of them before\), 3 not, 0 left in the bundle$/)
  const second = await replay('--token', 'anna', '--json')
  const { intents } = JSON.parse(second.said) as { intents: { status: string; repeated: boolean }[] }
  expect(intents.map(({ status, repeated }) => [status, repeated])).toEqual([
    ['rejected', true],
    ['applied', true],
    ['withdrawn', true],
    ['applied', true],
    ['withdrawn', true],
    ['applied', true],
  ])
  device.resume()
  await device.quiet()
  expect(shown(device, 'workouts')).toHaveLength(2)
  expect(shown(device, 'sets')).toEqual([{ reps: 8 }])
  expect(shown(device, 'counters')).toEqual([])

  expect(await replay('--token', 'ben')).toMatchObject({ code: 3, said: expect.stringContaining('actor_mismatch') })
  expect(await replay()).toMatchObject({ code: 3, said: expect.stringContaining('unauthenticated') })
  writeFileSync(join(stage.folder, 'bundle.json'), '{"kind":"holdfast-rescue"')
  expect(await replay('--token', 'anna')).toMatchObject({ code: 1, said: expect.stringContaining('is not JSON') })
  expect(await main(['replay', '--url', 'x'], { out: () => undefined, err: () => undefined, cwd: '.' })).toBe(2)
})

test('what the authority will not decide now stays in the bundle with all that builds on it, and the rest goes', async () => {
  const stage = await repairStage()
  const device = await stage.open('phone', { startPaused: true })
  await device.mutate.start({ name: 'Legs' }).saved
  const [workout] = [...device.inspect().replica.rows('workouts')]
  await device.mutate.log({ workoutId: workout?.id ?? '', reps: 5 }).saved
  await device.mutate.start({ name: 'Arms' }).saved
  const bundle = await exportUnsent(device)
  // Made by an app that is newer than the authority.
  const [first, ...others] = bundle.intents
  const newer = { ...bundle, intents: [{ ...first, version: 99 }, ...others] }
  writeFileSync(join(stage.folder, 'bundle.json'), JSON.stringify(newer))
  const said: string[] = []
  const code = await main(['replay', 'bundle.json', '--url', stage.url, '--token', 'anna'], {
    out: (text) => void said.push(text),
    err: (text) => void said.push(text),
    cwd: stage.folder,
  })
  expect(code).toBe(1)
  expect(said.join('\n')).toMatch(
    /^left start .* \(version_unknown: .*\)\nleft log .* \(dependency: It builds on .*\)\n/,
  )
  expect(said.at(-1)).toBe('3 intents: 1 applied (0 of them before), 0 not, 2 left in the bundle')
})

test('a bundle that is damaged, newer or somebody else’s is refused in words, and nothing of it comes in', async () => {
  const stage = await repairStage()
  const device = await troubled(stage)
  const bundle = await exportUnsent(device)
  const other = await stage.open('tablet', { actor: 'ben' })
  await expect(importUnsent(other, bundle)).rejects.toMatchObject({ code: 'actor_mismatch' })
  const [first, second] = bundle.intents
  const cases: readonly (readonly [unknown, string])[] = [
    [undefined, 'malformed'],
    [[], 'malformed'],
    [{ ...bundle, kind: 'something' }, 'malformed'],
    [{ ...bundle, format: 2 }, 'storage_newer'],
    [{ ...bundle, intents: [{ ...first, id: 'x' }] }, 'malformed'],
    [{ ...bundle, intents: [first, second, first] }, 'malformed'],
    [{ ...bundle, intents: [first, { ...second, state: 'gone' }] }, 'malformed'],
  ]
  const own = await stage.open('desk')
  for (const [damaged, code] of cases) await expect(importUnsent(own, damaged)).rejects.toMatchObject({ code })
  expect(own.inspect().entries).toEqual([])
  expect(() => parseBundle({ ...bundle, intents: [{ ...first, id: 'x' }] })).toThrow(/intents\[0\]\.id must be a UUID/)
})
