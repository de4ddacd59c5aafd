// A foreign process on the same PostgreSQL, which acts while the test stands still: statements run on a connection of a worker, and this
// one waits for them, so that tests are written once for both databases. Texts are those for SQLite: `?`, and names in the spelling
// of the app, which are quoted here.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { numberParameters } from '../../src/server/db/postgres/statements.ts'

type Value = string | number | null
interface Foreigner {
  readonly port: MessagePort
  readonly signal: Int32Array
}

const foreigners = new Map<string, Foreigner>()

/** Runs statements in one transaction; gives the rows of the last. */
export function runForeign(
  url: string,
  schema: string,
  statements: readonly { readonly text: string; readonly values?: readonly Value[] }[],
): unknown[] {
  const { port, signal } = foreignerAt(url)
  Atomics.store(signal, 0, 0)
  port.postMessage({
    schema,
    statements: statements.map(({ text, values = [] }) => ({ text: numberParameters(withNames(text)), values })),
  })
  Atomics.wait(signal, 0, 0, 20_000)
  const answer = receiveMessageOnPort(port)?.message as { rows?: unknown[]; problem?: string } | undefined
  if (answer?.rows === undefined) throw new Error(answer?.problem ?? 'The foreign process does not answer')
  return answer.rows
}

function foreignerAt(url: string): Foreigner {
  const known = foreigners.get(url)
  if (known !== undefined) return known
  const { port1, port2 } = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('./foreigner.mjs', import.meta.url), {
    workerData: { url, port: port2, signal },
    transferList: [port2],
  })
  worker.unref()
  port1.unref()
  const made = { port: port1, signal }
  foreigners.set(url, made)
  return made
}

/** PostgreSQL reads a name without quotes in small letters: those with others in them are quoted. */
function withNames(text: string): string {
  return text.replace(/'(?:[^']|'')*'|"[^"]*"|\b[a-z]+[A-Z]\w*/g, (piece) =>
    /^['"]/.test(piece) ? piece : `"${piece}"`,
  )
}
