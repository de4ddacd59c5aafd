// Storage mode `localstorage` where the contract suite does not look: its names, what a browser without it says, and clearing.
import { afterEach, expect, test, vi } from 'vitest'
import { clearLocalStorage, openLocalStorage } from '../../../src/hosts/browser/localstorage.ts'
import { birth, intent, made } from '../../../src/sim/contracts/storage-harness.ts'
import { createFakeArea } from './rescue-harness.ts'

afterEach(() => vi.unstubAllGlobals())

test('the copies of two actors are apart, also where one’s name begins with the other’s', async () => {
  const { view, hold } = createFakeArea()
  const ann = await openLocalStorage({ name: 'holdfast/ann', area: view(), hold })
  const other = await openLocalStorage({ name: 'holdfast/ann/1', area: view(), hold })
  await ann.load(birth('a'))
  await other.load(birth('b'))
  await ann.append([intent(1)])
  await Promise.all([ann.close(), other.close()])
  clearLocalStorage('holdfast/ann', view())
  const again = await openLocalStorage({ name: 'holdfast/ann/1', area: view(), hold })
  expect((await again.load(birth('c'))).outbox).toEqual([birth('b')])
  const cleared = await openLocalStorage({ name: 'holdfast/ann', area: view(), hold })
  expect((await cleared.load(birth('d'))).outbox).toEqual([birth('d')])
})

test('where Web Storage refuses a write, or gives back something else, it is refused at once with the browser’s name for it', async () => {
  const { view, hold } = createFakeArea()
  const refusing = view(() => {
    throw new DOMException('Access is denied', 'SecurityError')
  })
  await expect(openLocalStorage({ name: 'x', area: refusing, hold })).rejects.toMatchObject({
    code: 'storage_failed',
    details: { errno: 'SecurityError' },
  })
  await expect(openLocalStorage({ name: 'x', area: { ...view(), getItem: () => null }, hold })).rejects.toMatchObject({
    code: 'storage_failed',
  })
})

test('[I18] where there are no locks it is refused, for two tabs could give the same number', async () => {
  vi.stubGlobal('navigator', {})
  const { view } = createFakeArea()
  await expect(openLocalStorage({ name: 'x', area: view() })).rejects.toMatchObject({ code: 'storage_failed' })
})

test('[I4] when an origin’s share is full the write is refused, and what was kept is still there', async () => {
  const { view, hold } = createFakeArea(3_000)
  const storage = await openLocalStorage({ name: 'x', area: view(), hold })
  await storage.load(birth())
  await storage.append([intent(1)])
  await expect(storage.append([intent(2, { text: 'x'.repeat(3_000) })])).rejects.toMatchObject({
    code: 'storage_failed',
    details: { errno: 'QuotaExceededError' },
  })
  expect(await storage.append([intent(3)])).toBe(2)
  await storage.close()
  const again = await openLocalStorage({ name: 'x', area: view(), hold })
  expect((await again.load(birth())).outbox).toEqual([birth(), made(1, intent(1)), made(2, intent(3))])
})
