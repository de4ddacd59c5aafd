// Two devices on one page, each with a store and a switch of its own, to watch them agree. Nothing joins them but the server: each
// is the whole app with its own client.
import { type ReactElement, useEffect, useMemo } from 'react'
import { type Device, openDevice } from '../device.ts'
import { useSignedIn } from '../hooks.ts'
import type { Memory } from '../memory.ts'
import { memoryNavigator } from '../navigator.ts'
import { BackIcon } from '../parts/icons.tsx'
import { DeviceScreen } from './device-screen.tsx'
import { SignIn } from './sign-in.tsx'

const names = [
  { store: 'workouts-left', title: 'Phone' },
  { store: 'workouts-right', title: 'Tablet' },
] as const

// Made at the first visit and kept: a place that is left and found again is still two devices.
let devices: readonly { readonly device: Device; readonly title: string }[] | undefined

function openBoth(memory: Memory): readonly { readonly device: Device; readonly title: string }[] {
  devices ??= names.map(({ store, title }) => ({ device: openDevice(store, memory), title }))
  return devices
}

/** The page. `actor` is who is signed in on the page's own device. */
export function Two({
  memory,
  actor,
  onLeave,
}: {
  readonly memory: Memory
  readonly actor: string | undefined
  readonly onLeave: () => void
}): ReactElement {
  const both = useMemo(() => openBoth(memory), [memory])
  const [first] = both
  const signedIn = useSignedIn(first?.device as Device)
  const signIn = (name: string): void => {
    for (const { device } of both) device.signIn(name)
  }
  // Whoever is signed in on the page is the one to try it with.
  useEffect(() => {
    if (actor === undefined) return
    for (const { device } of both) if (device.session() === undefined) device.signIn(actor)
  }, [both, actor])
  if (signedIn === undefined && actor === undefined)
    return (
      <div className="device">
        <SignIn title="Two devices" action="Sign in on both" onSignIn={signIn} />
      </div>
    )
  return (
    <div className="two">
      <header className="two-head">
        <button type="button" className="icon-button" aria-label="Back to one device" onClick={onLeave}>
          <BackIcon />
        </button>
        <div>
          <h1>Two devices, one list</h1>
          <p className="quiet">
            Each has its own storage and talks only to the server. Take one offline, log on both, and bring it back.
          </p>
        </div>
      </header>
      <div className="panes">
        {both.map(({ device, title }) => (
          <Pane key={device.store} device={device} title={title} />
        ))}
      </div>
    </div>
  )
}

function Pane({ device, title }: { readonly device: Device; readonly title: string }): ReactElement {
  const navigator = useMemo(memoryNavigator, [])
  return (
    <section className="pane" aria-label={title}>
      <DeviceScreen device={device} navigator={navigator} name={title} title={title} />
    </section>
  )
}
