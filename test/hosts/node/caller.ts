// A child process of ends.test.ts: keeps something, asks something, hears one event of a stream, cancels it, and has nothing more to
// do. Nothing that it leaves open (a kept connection, a folder) may keep it alive.
import { node } from '../../../src/hosts/node/index.ts'
import type { ActorId } from '../../../src/protocol/ids.ts'
import { birth, intent } from '../../../src/sim/contracts/storage-harness.ts'

const [url = '', folder = ''] = process.argv.slice(2)
const host = node({ folder })
const storage = await host.openStorage('anna' as ActorId)
await storage.load(birth())
await storage.append([intent(1)])
const { answer } = host.network.exchange({ path: 'push', url, headers: {}, body: '{}' }, 5_000)
console.log((await answer).body)
const cancel = host.network.stream(
  { path: 'live', url: `${url}/live`, headers: {}, body: '{}' },
  {
    opened: () => console.log('opened'),
    event(_, data) {
      console.log(data)
      cancel()
    },
    refused: () => console.log('refused'),
    ended: () => console.log('ended'),
  },
)
