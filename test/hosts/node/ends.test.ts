// A process stays alive for an open stream, and ends by itself when it has cancelled it.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { serve } from '../../../src/hosts/node/index.ts'
import type { StreamSink } from '../../../src/server/http/exchange.ts'

test('a client that has closed what it opened does not keep its process alive; an open stream does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-ends-'))
  const sinks: StreamSink[] = []
  const listener = await serve(
    {
      async handle({ path }) {
        if (path !== '/live') return { status: 200, headers: {}, body: 'answered' }
        return {
          status: 200,
          headers: { 'content-type': 'text/event-stream' },
          open(sink) {
            sinks.push(sink)
            return () => {}
          },
        }
      },
    },
    { port: 0 },
  )
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./caller.ts', import.meta.url)), listener.url, folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let told = ''
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString()
    // The child waits in its stream until something comes.
    if (told.endsWith('opened\n')) setImmediate(() => sinks[0]?.write('data: event\n\n'))
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect([code, told]).toEqual([0, 'answered\nopened\nevent\n'])
  await listener.close()
  await rm(folder, { recursive: true, force: true })
})
