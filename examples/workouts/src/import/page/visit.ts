// What a person does who imports a file in the page: sign in, take the device offline by the demo's switch, choose the file, wait
// until all of it is kept, go online, wait until all is synced. Reads only what the page shows, and seldom, so that looking is no
// work for it. What the import costs the page's main thread is watched from the choice of the file to the end.
import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { type Tasks, watchTasks } from '../../../../../scripts/chromium/tasks.ts'

/** What came of a visit. */
export interface Visit {
  /** What the page says that it has added, and what was here before. */
  readonly workouts: number
  readonly sets: number
  readonly known: number
  /** Changes that the pill said were on this device when all was made and nothing was sent. */
  readonly kept: number
  /** Changes that the authority did not take, and the first of them in sentences. */
  readonly rejected: number
  readonly refusals: readonly string[]
  /** From the choice of the file until all of it was kept, and from the switch until all was synced. */
  readonly offlineMs: number
  readonly syncMs: number
  readonly tasks: Tasks
}

/** Hears how far a visit is: entries that are kept, later changes that are synced. */
export interface VisitListener {
  onKept?(done: number, all: number): void
  onSynced?(done: number, all: number): void
}

/** What the page shows at one moment. */
interface Look {
  readonly pill: { readonly key: string; readonly text: string } | null
  readonly running: { readonly label: string; readonly done: number; readonly all: number } | null
  readonly added: string | null
  readonly wrong: string | null
}

/** Between two looks. */
const LOOK_MS = 100

const LOOK = `(() => {
  const find = (selector) => document.querySelector(selector)
  const [pill, running] = [find('.pill'), find('.progress')]
  const bar = running?.querySelector('progress')
  return {
    pill: pill && { key: pill.dataset.status, text: pill.textContent },
    running: bar && { label: running.querySelector('label').textContent, done: bar.value, all: bar.max },
    added: find('.done > p')?.textContent ?? null,
    wrong: find('.screen .wrong')?.textContent ?? null,
  }
})()`

/** Pills that no waiting changes: somebody must do something. */
const stuck = new Set(['unsaved', 'broken', 'update', 'sign-in', 'held'])

/** Imports the file at `path` as `actor`, in a page that shows the app and on which nobody is signed in. */
export async function importInPage(
  page: Page,
  { actor, path }: { readonly actor: string; readonly path: string },
  listener: VisitListener = {},
): Promise<Visit> {
  const offline = page.getByRole('switch', { name: 'Go offline' })
  const hasPill = (key: string): Promise<void> => page.locator(`.pill[data-status=${key}]`).waitFor()
  await page.getByLabel('Your name').fill(actor)
  await page.getByRole('button', { name: /^Sign in/ }).click()
  await hasPill('synced')
  await offline.click()
  await hasPill('offline')
  await page.getByRole('link', { name: 'Import' }).click()
  const choose = page.getByLabel('Choose a .csv file')
  await choose.waitFor({ state: 'attached' })

  const stopWatch = await watchTasks(page)
  const chosenAt = performance.now()
  await choose.setInputFiles(path)
  const added = await until(page, ({ running, added, wrong }) => {
    if (wrong !== null) throw new Error(`The page says: ${wrong}`)
    if (running?.label.startsWith('Reading') === false) listener.onKept?.(running.done, running.all)
    return added ?? undefined
  })
  const keptAt = performance.now()
  const kept = await until(page, ({ pill }) =>
    pill?.key === 'offline' ? numberIn(/· ([\d,]+) on/, pill.text) : undefined,
  )

  const onlineAt = performance.now()
  await offline.click()
  const end = await until(page, ({ pill }) => {
    if (pill === null || pill.key === 'offline') return undefined
    if (pill.key === 'syncing') listener.onSynced?.(kept - numberIn(/yncing ([\d,]+)/, pill.text), kept)
    return ['synced', 'failed', 'conflict'].includes(pill.key) ? pill : undefined
  })
  if (end.key !== 'synced') await page.locator('.pill').click()
  const refusals = end.key === 'synced' ? [] : await readRefusals(page)
  const syncedAt = performance.now()
  return {
    ...readAdded(added),
    kept,
    rejected: end.key === 'synced' ? 0 : numberIn(/^([\d,]+)/, await page.locator('.pill').innerText()),
    refusals,
    offlineMs: Math.round(keptAt - chosenAt),
    syncMs: Math.round(syncedAt - onlineAt),
    tasks: await stopWatch(),
  }
}

/** What the page says when an import is over, in numbers: «3 workouts and 24 sets added, 5 were here already, 1 line left out.» */
export function readAdded(text: string): Pick<Visit, 'workouts' | 'sets' | 'known'> {
  return {
    workouts: numberIn(/([\d,]+) workouts?\b/, text),
    sets: numberIn(/([\d,]+) sets?\b/, text),
    known: numberIn(/([\d,]+) were here/, text),
  }
}

/** A number as the page writes it; 0 where it says nothing. */
function numberIn(pattern: RegExp, text: string): number {
  return Number((pattern.exec(text)?.[1] ?? '0').replaceAll(',', ''))
}

/** Looks until something is found. Throws when the page waits for a person. */
async function until<Found>(page: Page, find: (look: Look) => Found | undefined): Promise<Found> {
  for (;;) {
    const look = await page.evaluate<Look>(LOOK)
    if (look.pill !== null && stuck.has(look.pill.key)) throw new Error(`The page cannot go on: ${look.pill.text}`)
    const found = find(look)
    if (found !== undefined) return found
    await setTimeout(LOOK_MS)
  }
}

/** Reads the list of what was not taken, once nothing else waits. */
async function readRefusals(page: Page): Promise<readonly string[]> {
  const panel = page.getByRole('dialog', { name: 'Sync' })
  await panel.getByRole('heading', { name: 'Waiting on this device (0)' }).waitFor()
  const items = await panel.locator('.item').all()
  return Promise.all(
    items.map(async (item) => (await item.locator('.item-title, .item-why').allInnerTexts()).join(': ')),
  )
}
