// Starts another process of the benchmarks and speaks with it in lines: what it prints first says that it is ready, what it prints
// later are its results. Whatever becomes of the benchmark, its children end with it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process under way. */
export interface Child {
  /** The next line that it prints; rejects when it has ended. */
  line(): Promise<string>
  /** Sends it a line, and gives the next one that it prints. */
  ask(question: string): Promise<string>
  /** Ends it and waits until it has gone. */
  stop(): Promise<void>
}

/** Starts `bench/engine/NAME.ts`, or the script of another kind that is named with its ending, with these arguments. */
export function startChild(name: string, args: readonly string[] = []): Child {
  const script = fileURLToPath(new URL(name.endsWith('.mjs') ? `./${name}` : `./${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => {
    const { done, value } = await lines.next()
    if (done) throw new Error(`${name} ended before it answered`)
    return value
  }
  return {
    line,
    ask(question) {
      child.stdin.write(`${question}\n`)
      return line()
    },
    async stop() {
      // A child ends when its input does, which is also what happens when this process dies.
      child.stdin.end()
      await exited
    },
  }
}

/** In a child: runs `close` and ends when the parent wants that or is gone. */
export function endWithParent(close: () => Promise<void>): void {
  process.stdin.resume()
  process.stdin.once('end', () => void close().then(() => process.exit(0)))
}
