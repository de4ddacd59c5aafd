// A child process of kept.test.ts: opens the folder that its argument names and appends as fast as it can, telling each number as
// soon as it is acknowledged. It ends only when it is killed. With `hold` it opens, says so, and waits.
import { writeSync } from 'node:fs'
import { node } from '../../../src/hosts/node/index.ts'
import type { ActorId } from '../../../src/protocol/ids.ts'
import { birth, frame, intent } from '../../../src/sim/contracts/storage-harness.ts'

const [folder = '', mode = 'append'] = process.argv.slice(2)
const storage = await node({ folder }).openStorage('anna' as ActorId)
const { outbox, frames } = await storage.load(birth())
writeSync(1, `open ${outbox.length}\n`)
if (mode === 'hold') setInterval(() => {}, 60_000)
else await append(frames.length)

async function append(framesBefore: number): Promise<void> {
  for (let label = framesBefore + 1; ; label++) {
    const calls = [1, 2, 3].map(async (count) => {
      const first = await storage.append(Array.from({ length: count }, (_, index) => intent(label * 10 + index)))
      writeSync(1, `kept ${first} ${count}\n`)
    })
    await Promise.all([...calls, storage.keepFrame(frame(label))])
  }
}
