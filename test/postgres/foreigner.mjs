// The other end of foreign.ts: a worker with a connection of its own, which runs what it is told and says when it is done. In JavaScript,
// since the oldest Node that the tests run on takes no types.
import { workerData } from 'node:worker_threads'
import pg from 'pg'

const { url, port, signal } = workerData
const client = new pg.Client({ connectionString: url, types: { getTypeParser } })
const connected = client.connect()

function getTypeParser(oid) {
  if ([20, 21, 23, 700, 701, 1700].includes(oid)) return Number
  if (oid === 16) return (value) => (value === 't' ? 1 : 0)
  return (value) => value
}

port.on('message', async ({ schema, statements }) => {
  let answer
  try {
    await connected
    await client.query(`SET search_path = ${schema}; BEGIN`)
    let rows = []
    for (const { text, values } of statements) rows = (await client.query(text, values)).rows
    await client.query('COMMIT')
    answer = { rows }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    answer = { problem: error.message, code: error.code }
  }
  port.postMessage(answer)
  Atomics.store(signal, 0, 1)
  Atomics.notify(signal, 0)
})
