// All that is shown of one device: its bar with the pill and the demo's switch, the present screen, and the panel of what waits.
// Knows which screen belongs to which place. The page shows one of these, or two beside each other.
import { type ReactElement, type ReactNode, useLayoutEffect, useMemo, useRef } from 'react'
import type { Device, SignedIn } from '../device.ts'
import { HoldfastProvider, StandContext, useRoute, useSignedIn, useStand, useSyncStatus } from '../hooks.ts'
import type { Navigator } from '../navigator.ts'
import { BackIcon, Barbell } from '../parts/icons.tsx'
import { Link } from '../parts/link.tsx'
import { StatusPill } from '../parts/pill.tsx'
import { OfflineSwitch } from '../parts/switch.tsx'
import { Center, useCenter } from './center.tsx'
import { Import, useImport } from './import.tsx'
import { SignIn } from './sign-in.tsx'
import { Workout } from './workout.tsx'
import { Workouts } from './workouts.tsx'

/** The screen of a device. */
export function DeviceScreen({
  device,
  navigator,
  name,
  title,
  children,
}: {
  readonly device: Device
  readonly navigator: Navigator
  readonly name: string
  readonly title: string
  /** Stands beside the switch. */
  readonly children?: ReactNode
}): ReactElement {
  const signedIn = useSignedIn(device)
  const stand = useMemo(() => ({ device, navigator, name, title }), [device, navigator, name, title])
  return (
    <StandContext value={stand}>
      {signedIn === undefined ? (
        <div className="device">
          <SignIn title="Workouts" action="Sign in" onSignIn={(actor) => device.signIn(actor)} />
        </div>
      ) : (
        <HoldfastProvider client={signedIn.client}>
          <Screen signedIn={signedIn}>{children}</Screen>
        </HoldfastProvider>
      )}
    </StandContext>
  )
}

function Screen({
  signedIn: { actor, importer },
  children,
}: {
  readonly signedIn: SignedIn
  readonly children: ReactNode
}): ReactElement {
  const { navigator, title } = useStand()
  const route = useRoute(navigator)
  const center = useCenter()
  const scroller = useRef<HTMLDivElement>(null)
  // A place without an address has no history that knows how far it was scrolled.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place is what this waits for.
  useLayoutEffect(() => {
    scroller.current?.scrollTo(0, 0)
  }, [route])
  return (
    <div ref={scroller} className="device">
      <header className="bar">
        {route.at === 'workouts' ? (
          <span className="bar-mark">
            <Barbell />
          </span>
        ) : (
          <button type="button" className="icon-button" aria-label="Back" onClick={() => navigator.back()}>
            <BackIcon />
          </button>
        )}
        <span className="bar-title">{title}</span>
        <StatusPill isOpen={center.isOpen} panelId={center.panelId} ref={center.door} onOpen={center.open} />
      </header>
      <div className="demo-bar">
        <span className="demo-word">Demo</span>
        <OfflineSwitch />
        {children}
      </div>
      <Broken />
      {route.at !== 'import' && <ImportLine importer={importer} />}
      {route.at === 'workout' ? (
        <Workout key={route.id} id={route.id} />
      ) : route.at === 'import' ? (
        <Import importer={importer} />
      ) : (
        <Workouts actor={actor} />
      )}
      {center.isOpen && <Center id={center.panelId} actor={actor} onClose={center.close} />}
    </div>
  )
}

/** Says why nothing can be shown or kept, if so: a browser without storage for this page, or a fault of ours. */
function Broken(): ReactElement | null {
  const why = useSyncStatus(({ connection, fault }) => (connection === 'broken' ? (fault?.message ?? '') : undefined))
  if (why === undefined) return null
  return (
    <div className="banner broken" role="alert">
      <p>
        <strong>This page cannot keep changes now.</strong> What is on this device was left untouched. {why}
      </p>
      <button type="button" className="button small" onClick={() => location.reload()}>
        Load again
      </button>
    </div>
  )
}

/** An import that goes on while another screen is shown. */
function ImportLine({ importer }: Pick<SignedIn, 'importer'>): ReactElement | null {
  const state = useImport(importer)
  if (state.is !== 'running') return null
  return (
    <Link to={{ at: 'import' }} className="import-line">
      <span>Importing {state.name}…</span>
      <progress aria-label="Import" value={state.done} max={state.all} />
    </Link>
  )
}
