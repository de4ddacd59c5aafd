// `npm start`: the workouts app and its authority on an embedded database, both on port 8787 of this machine. PORT and HOLDFAST_DATA
// (a folder) change where. Builds the pages first when they have changed. Says what to try next; ends cleanly on Ctrl-C. What the
// authority decides, and for whom, is in authority.ts; which request is for a page, in site/files.ts.
import { accessSync, constants, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Answerer, serve } from 'holdfast/node'
import type { Authority } from 'holdfast/server'
import { openAuthority } from './authority.ts'
import { buildSite, SITE_FOLDER } from './site/build.ts'
import { openSite, type Site } from './site/files.ts'

function stop(what: string, todo: string): never {
  console.error(`${what}\n${todo}`)
  process.exit(1)
}

function readPort(text = '8787'): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    stop(`PORT is ${JSON.stringify(text)}, which is no port.`, 'Give a number from 0 to 65535: PORT=9000 npm start')
  return port
}

function openFolder(path = '.holdfast'): string {
  const folder = resolve(path)
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return folder
  } catch (error) {
    return stop(
      `The folder ${folder} cannot be written: ${messageOf(error)}`,
      'Give another one: HOLDFAST_DATA=/some/folder npm start',
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function openPages(): Promise<Site> {
  try {
    await buildSite()
    return openSite(SITE_FOLDER)
  } catch (error) {
    return stop(`The pages could not be built: ${messageOf(error)}`, 'Run `npm install` first, then `npm start` again.')
  }
}

async function openDatabase(): Promise<Authority> {
  try {
    const opened = openAuthority(file)
    await opened.ready
    return opened
  } catch (error) {
    return stop(messageOf(error), `Move ${file} away, or give another folder: HOLDFAST_DATA=/some/folder npm start`)
  }
}

const port = readPort(process.env['PORT'])
const file = resolve(openFolder(process.env['HOLDFAST_DATA']), 'workouts.db')
const site = await openPages()
const authority = await openDatabase()
const everything: Answerer = { handle: async (request) => site(request) ?? authority.handle(request) }
const listener = await serve(everything, { port, host: '127.0.0.1' }).catch((error: unknown) => {
  const isTaken = (error as { readonly code?: unknown }).code === 'EADDRINUSE'
  return isTaken
    ? stop(
        `Port ${port} is taken: another process listens there, perhaps an earlier npm start.`,
        `End it, or take another port: PORT=${port + 1} npm start`,
      )
    : stop(`Port ${port} cannot be opened: ${messageOf(error)}`, 'Take another port: PORT=9000 npm start')
})
const origin = `http://localhost:${listener.port}`
console.log(`The workouts app listens on ${origin}

  one device   ${origin}
  two devices  ${origin}/two

  database   ${file}
  wire       ${origin}/sync
  health     ${origin}/health

This is a demo: the bearer token is the name of the actor, so it listens to this machine only.
Open it, log a set, take it offline with the demo's switch or by ending this process, log more, and bring it back.

Try next, in another terminal:

  curl ${origin}/health
  npm run import -- YOUR-EXPORT.csv --authority ${origin}

The second reads a Strong or Hevy export on a device without network, kills that device half-way, sends everything over a bad
network, and compares what arrived with the file. Ctrl-C ends this process.`)

let isEnding = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, async () => {
    if (isEnding) process.exit(1)
    isEnding = true
    console.log('Ending: what was decided is in the database.')
    await listener.close()
    await authority.close()
    process.exit(0)
  })
}
