// `holdfast/browser`: a client's world in a browser.
export { type BrowserOptions, browser } from './host.ts'
export { type IndexedDbOptions, openIndexedDbStorage } from './indexeddb.ts'
export type { NetworkOptions } from './network.ts'
