// The hooks of this app: Holdfast's with the app's types, and the app's own for device, place and the state of the pill.
import { createHooks } from 'holdfast/react'
import { createContext, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { app } from '../app.ts'
import type { Device, SignedIn } from './device.ts'
import type { Navigator } from './navigator.ts'
import { nextPill, type Pill, type PillState } from './pill.ts'
import type { Route } from './routes.ts'

/** Holdfast's hooks, made for this app. */
export const { HoldfastProvider, useClient, useLiveQuery, useMutators, useOutbox, useSyncStatus } = createHooks(app)

/** What a screen stands on: its device and its place. */
export interface Stand {
  readonly device: Device
  readonly navigator: Navigator
  /** What people call the device. */
  readonly name: string
  /** What stands at the top of its screen. */
  readonly title: string
}

/** The stand of the components below. */
export const StandContext = createContext<Stand | undefined>(undefined)

/** The device and place around. */
export function useStand(): Stand {
  const stand = useContext(StandContext)
  if (stand === undefined) throw new Error('A screen was shown without a device: put it into a DeviceScreen')
  return stand
}

/** Who is signed in on a device. */
export function useSignedIn(device: Device): SignedIn | undefined {
  return useSyncExternalStore(device.subscribe, device.session)
}

/** The place that a navigator holds. */
export function useRoute(navigator: Navigator): Route {
  return useSyncExternalStore(navigator.subscribe, navigator.route)
}

/** What the pill shows now; wakes up by itself when time alone changes it. */
export function usePill(): Pill {
  const status = useSyncStatus()
  const state = useRef<PillState>(undefined)
  const [, wake] = useState(0)
  const next = nextPill(state.current, status, Date.now())
  useEffect(() => {
    state.current = next.state
    if (next.againMs === undefined) return
    const timer = setTimeout(() => wake((count) => count + 1), next.againMs)
    return () => clearTimeout(timer)
  })
  return next.state.shown
}
