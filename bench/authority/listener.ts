// A child of idle.ts: opens so many live streams to a port, each of a device of its own, a hundred of them for each actor, and prints a
// line when all of them stand. Where nobody answers a pull (bare.mjs), they are opened without.
import { endWithParent } from '../engine/child.ts'
import { makeDevice, openLine } from './wire.ts'

const [port = '', count = '0', label = ''] = process.argv.slice(2)
const DEVICES_OF_ONE = 100
const line = openLine(Number(port))
let open = 0
for (let number = 0; number < Number(count); number++) {
  const actor = `runner ${label} ${Math.floor(number / DEVICES_OF_ONE)}`
  const device = makeDevice(actor, `${label} ${number}`)
  // Somebody who has something: the first of each actor writes it.
  if (number % DEVICES_OF_ONE === 0) await line.post('push', actor, device.push(2))
  const { patches = [] } = JSON.parse(await line.post('pull', actor, device.pull())) as {
    readonly patches?: readonly { readonly scope: string; readonly to: object }[]
  }
  let isOpen = false
  await line.stream(actor, device.pull(patches.map(({ scope, to }) => ({ scope, ...to }))), (text) => {
    if (isOpen || !text.includes('event: seal')) return
    isOpen = true
    if (++open === Number(count)) console.log('open')
  })
}
endWithParent(async () => line.close())
