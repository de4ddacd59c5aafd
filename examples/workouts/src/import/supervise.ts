// One device of an import, seen from outside: its process is started, killed in the middle and started again on the same folder,
// first while there is no network and once more while it sends. What it acknowledged before a kill must be there after it.
import { type Child, startChild } from './child.ts'
import type { DeviceSaid, DeviceSetup } from './device.ts'

type Quiet = DeviceSaid & { readonly is: 'quiet' }

/** When a device is killed. */
export interface KillPlan {
  /** While there is no network: once this many intents are acknowledged. */
  readonly atSaved: number
  /** Asked while the device sends; the first yes kills it. */
  isDue(): boolean
}

/** A supervised device. */
export interface SupervisedDevice {
  /** Makes everything without a network; resolves when all is durable. */
  offline(): Promise<void>
  /** Resolves when everything is decided and has come back. */
  sync(): Promise<Quiet>
  /** Something happened that may make a kill due. */
  stir(): void
  kills(): number
  /** Acknowledged intents that a kill lost, in sentences. */
  losses(): readonly string[]
  /** Tells its process to end, and waits. */
  end(): Promise<void>
  /** Ends its process at once, whatever it does. */
  abandon(): Promise<void>
}

/** Makes a device; its process starts with `offline`. `onProgress` hears of intents saved, and of those that still wait. */
export function createSupervisedDevice(
  setup: DeviceSetup,
  plan: KillPlan,
  onProgress: (progress: { readonly saved: number; readonly waiting: number | undefined }) => void,
): SupervisedDevice {
  const losses: string[] = []
  let child: Child<DeviceSaid> | undefined
  let acknowledged = 0
  let kills = 0
  let isKillWanted = (): boolean => acknowledged >= plan.atSaved
  let onKill: (() => void) | undefined
  let isKillDue = false

  function onMessage(from: number, message: DeviceSaid): void {
    if (from !== kills) return
    if (message.is === 'saved') {
      acknowledged = Math.max(acknowledged, message.count)
      onProgress({ saved: acknowledged, waiting: undefined })
      if (isKillWanted()) killNow()
      else child?.tell('on')
    } else if (message.is === 'waiting') onProgress({ saved: acknowledged, waiting: message.count })
  }

  async function start(): Promise<Child<DeviceSaid>> {
    const birth = kills
    // As it stood when the last process was killed: the new one may acknowledge more before its first word is looked at.
    const before = acknowledged
    child = startChild<DeviceSaid>(new URL('device.ts', import.meta.url), setup, (message) => onMessage(birth, message))
    const { kept } = await child.hear(
      (message): message is DeviceSaid & { readonly is: 'ready' } => message.is === 'ready',
    )
    if (kept < before) losses.push(`${before - kept} intents that the device had acknowledged were gone after a kill`)
    return child
  }

  // A kill may become due before anybody waits for it: the first messages come with the one that the process is ready.
  function killNow(): void {
    isKillDue = true
    onKill?.()
  }

  /** Waits for a message; when a kill becomes due first, kills the process, starts it again, and waits for the same of the new one. */
  async function hearThroughKill<Wanted extends DeviceSaid>(
    running: Child<DeviceSaid>,
    fits: (message: DeviceSaid) => message is Wanted,
  ): Promise<Wanted> {
    const killed = new Promise<undefined>((resolve) => {
      onKill = () => resolve(undefined)
      if (isKillDue) resolve(undefined)
    })
    const heard = await Promise.race([killed, running.hear(fits)])
    onKill = undefined
    isKillDue = false
    isKillWanted = () => false
    if (heard !== undefined) return heard
    kills++
    await running.kill()
    return (await start()).hear(fits)
  }

  return {
    async offline() {
      await hearThroughKill(
        await start(),
        (message): message is DeviceSaid & { readonly is: 'made' } => message.is === 'made',
      )
    },
    sync() {
      isKillWanted = plan.isDue
      return hearThroughKill(child as Child<DeviceSaid>, (message): message is Quiet => message.is === 'quiet')
    },
    stir() {
      if (isKillWanted()) killNow()
    },
    kills: () => kills,
    losses: () => losses,
    end: async () => child?.end(),
    abandon: async () => child?.kill(),
  }
}
