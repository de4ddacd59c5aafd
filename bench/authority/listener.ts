// A child of idle.ts: opens so many live streams to a port, each of a device of its own, and prints a line when all of them stand.
import { ACTOR } from '../engine/app.ts'
import { endWithParent } from '../engine/child.ts'
import { makeDevice, openLine } from './wire.ts'

const [port = '', count = '0', label = ''] = process.argv.slice(2)
const line = openLine(Number(port))
let sealed = 0
for (let number = 0; number < Number(count); number++) {
  const device = makeDevice(ACTOR, `${label} ${number}`)
  const { patches } = JSON.parse(await line.post('pull', ACTOR, device.pull())) as {
    readonly patches: readonly { readonly scope: string; readonly to: object }[]
  }
  await line.stream(ACTOR, device.pull(patches.map(({ scope, to }) => ({ scope, ...to }))), (text) => {
    if (text.includes('event: seal') && ++sealed === Number(count)) console.log('open')
  })
}
endWithParent(async () => line.close())
