// Processes of Node under a power cut: a device on files, and an authority on SQLite. What they do is device.ts and authority.ts.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createDeferred } from '../../src/base/deferred.ts'
import type { Subject } from './subject.ts'

/** The subject whose child is `script`, a page of this folder. */
export function processSubject(name: string, script: string): Subject {
  const path = fileURLToPath(new URL(script, import.meta.url))

  /** Starts the child; resolves with what follows `awaited` on the line that begins with it. */
  async function start(args: readonly string[], awaited: string, heard: (word: string, rest: string) => void) {
    const child = spawn(process.execPath, [path, ...args])
    const closed = once(child, 'close')
    let problems = ''
    child.stderr.on('data', (text: Buffer) => {
      problems += text.toString()
    })
    const told = createDeferred<string>()
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [word = '', rest = ''] = line.split(' ')
      if (word === awaited) told.resolve(rest)
      else heard(word, rest)
    })
    void closed.then(() => told.reject(new Error(`The ${name} ended and has not told «${awaited}». ${problems}`)))
    return { child, closed, rest: await told.promise }
  }

  return {
    name,
    problem: () => undefined,
    async write(folder, durability, acknowledged) {
      const { child, closed } = await start([folder, 'write', durability], 'prepared', (word, rest) => {
        if (word === 'acknowledged') acknowledged([Number(rest)])
      })
      return {
        go: () => void (child as ChildProcessWithoutNullStreams).stdin.write('go\n'),
        freeze: () => void child.kill('SIGSTOP'),
        async kill() {
          child.kill('SIGKILL')
          await closed
        },
      }
    },
    async read(folder) {
      const { closed, rest } = await start([folder, 'read'], 'present', () => undefined)
      await closed
      return new Set(rest === '' ? [] : rest.split(',').map(Number))
    },
  }
}
