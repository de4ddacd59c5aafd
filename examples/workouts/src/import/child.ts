// Child processes that talk in lines of JSON: both sides of it. The parent starts one and hears its messages; the child reads its
// one setup line, says what happens, and hears what it is told. A child ends by itself when its parent is gone.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A child, seen from its parent. `Said` is what it says. */
export interface Child<Said> {
  /** Resolves with the first message that `fits`; rejects when the process ends before. */
  hear<Wanted extends Said>(fits: (message: Said) => message is Wanted): Promise<Wanted>
  tell(word: string): void
  /** Ends it at once and waits until it is gone. */
  kill(): Promise<void>
  /** Tells it to end and waits. */
  end(): Promise<void>
}

const running = new Set<() => void>()
process.on('exit', () => {
  for (const kill of running) kill()
})

/** Starts a child and gives it its setup. Every message also goes to `onMessage`. */
export function startChild<Said>(
  script: URL,
  setup: object,
  onMessage: (message: Said) => void = () => undefined,
): Child<Said> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fileURLToPath(script)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const kill = (): boolean => child.kill('SIGKILL')
  running.add(kill)
  const messages: Said[] = []
  const waiting = new Set<() => void>()
  let complaint = ''
  let isGone = false
  const stirAll = (): void => {
    for (const stir of [...waiting]) stir()
  }
  child.stderr.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-4000)
  })
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = parseLine(line) as Said | undefined
    if (message === undefined) {
      complaint = `${complaint}${line}\n`.slice(-4000)
      return
    }
    messages.push(message)
    onMessage(message)
    stirAll()
  })
  const gone = once(child, 'close').then(() => {
    isGone = true
    running.delete(kill)
    stirAll()
  })
  child.stdin.write(`${JSON.stringify(setup)}\n`)
  const whyItEnded = (): string => {
    const name = basename(fileURLToPath(script), '.ts')
    if (complaint.trim() !== '') return `The ${name} process gave up: ${complaint.trim()}`
    return `The ${name} process ended (${child.signalCode ?? `code ${child.exitCode}`}) before it was done. Run the import again: what was decided is kept, and nothing comes in twice.`
  }
  return {
    hear: (fits) =>
      new Promise((resolve, reject) => {
        const stir = (): void => {
          const message = messages.find(fits)
          if (message === undefined && !isGone) return
          waiting.delete(stir)
          if (message !== undefined) resolve(message)
          else reject(new Error(whyItEnded()))
        }
        waiting.add(stir)
        stir()
      }),
    tell: (word) => void child.stdin.write(`${word}\n`),
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    async end() {
      child.stdin.end()
      await gone
    },
  }
}

/** A message, or undefined for what a library may have printed. */
function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** The child's side. */
export interface Parent<Setup> {
  readonly setup: Setup
  say(message: object): void
  /** Resolves when the parent says another word; each word is heard once. */
  word(): Promise<string>
  /** Resolves when the parent wants this process to end, or is gone. */
  readonly over: Promise<void>
}

/** Hears the setup; called once, first. */
export async function meetParent<Setup>(): Promise<Parent<Setup>> {
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${error.message}\n`, () => process.exit(1))
  })
  const lines = createInterface({ input: process.stdin })
  const heard: string[] = []
  const waiting: ((line: string) => void)[] = []
  lines.on('line', (line) => {
    const next = waiting.shift()
    if (next === undefined) heard.push(line)
    else next(line)
  })
  const over = once(lines, 'close').then(() => undefined)
  const word = (): Promise<string> => {
    const line = heard.shift()
    return line === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(line)
  }
  const setup = JSON.parse(await word()) as Setup
  return { setup, word, over, say: (message) => void process.stdout.write(`${JSON.stringify(message)}\n`) }
}
