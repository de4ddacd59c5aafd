// The page's import, on a device in memory: everything arrives, in slices between which the page has its turn; what was here is not
// added again, whether the ledger or this device knows it; what is wrong with a file is said.
import { createClient } from 'holdfast/client'
import { node } from 'holdfast/node'
import { expect, it, onTestFinished } from 'vitest'
import { app } from '../../examples/workouts/src/app.ts'
import { createImporter, type ImportState } from '../../examples/workouts/src/page/importer.ts'
import { bytes, history, meant, strongOld, write } from './exports.ts'

function device() {
  const client = createClient({
    app,
    host: node({ memory: true }),
    url: 'http://127.0.0.1:9/sync',
    session: { actor: 'ada', token: 'ada' },
    startPaused: true,
    whenNotDurable: 'accept',
  })
  onTestFinished(() => client.close())
  let turns = 0
  const importer = createImporter(client, 'ada', {
    now: () => performance.now(),
    breathe: () =>
      new Promise((resolve) => {
        turns++
        setImmediate(resolve)
      }),
  })
  const seen: ImportState[] = []
  importer.subscribe(() => seen.push(importer.state()))
  return { client, importer, seen, turns: () => turns }
}

const file = (text: string) => async () => bytes(text)

it('brings a file in, in slices, and says how far it is', async () => {
  const { client, importer, seen, turns } = device()
  await client.ready
  await importer.start('export.csv', file(write(history(300), strongOld)))
  expect(importer.state()).toEqual({
    is: 'done',
    name: 'export.csv',
    workouts: 25,
    sets: 300,
    known: 0,
    problems: [],
  })
  expect(client.live(app.query.sets).rows).toHaveLength(300)
  expect(turns()).toBeGreaterThan(3)
  const steps = seen.flatMap((state) => (state.is === 'running' && state.doing === 'logging' ? [state.done] : []))
  expect(steps.length).toBeGreaterThan(3)
  expect(steps).toEqual([...steps].sort((a, b) => a - b))
})

it('adds nothing twice', async () => {
  const { client, importer } = device()
  await client.ready
  const text = write(history(30), strongOld)
  await importer.start('export.csv', file(text))
  await importer.start('again.csv', file(text))
  expect(importer.state()).toMatchObject({ is: 'done', workouts: 0, sets: 0, known: 33 })
  expect(client.live(app.query.sets).rows).toHaveLength(30)
  expect(client.status().waiting).toBe(33)
})

it('says which lines are left out, and goes on with the others', async () => {
  const { client, importer } = device()
  await client.ready
  await importer.start('export.csv', file(write([meant({ weight: 'x' }), meant()], strongOld)))
  expect(importer.state()).toMatchObject({ is: 'done', sets: 1, problems: [{ line: 2 }] })
})

it('says what is wrong with a file that is none', async () => {
  const { importer } = device()
  await importer.start('notes.txt', file('hello'))
  expect(importer.state()).toMatchObject({ is: 'failed', name: 'notes.txt', reason: expect.stringMatching(/neither/) })
  importer.dismiss()
  expect(importer.state()).toEqual({ is: 'idle' })
})

it('says which lines this device could not keep', async () => {
  const { client, importer } = device()
  await client.ready
  await client.close()
  await importer.start('export.csv', file(write([meant()], strongOld)))
  expect(importer.state()).toMatchObject({
    is: 'done',
    sets: 0,
    problems: [
      { line: 2, reason: 'it was not kept (client_closed)' },
      { line: 2, reason: 'it was not kept (client_closed)' },
    ],
  })
})
