// The world of a device whose authority is a script (script.ts): the real host, only its network is not there.
import type { Host } from 'holdfast/client'
import { node } from 'holdfast/node'
import type { Script } from './script.ts'

export { createScript, openDevice } from './script.ts'

/** The world of a device on this script; in a folder, or in memory only. */
export function scripted(script: Script, folder?: string): Host {
  return { ...node(folder === undefined ? { memory: true } : { folder }), network: script.network }
}
