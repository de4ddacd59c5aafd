// The demo's own switch: it cuts this device off from the server, as a lift or a cellar would. Labelled as what it is, because no
// app that people use needs one. What it shows is what the client says, so that all tabs of a device agree.
import type { ReactElement } from 'react'
import { useStand, useSyncStatus } from '../hooks.ts'

/** The switch. */
export function OfflineSwitch(): ReactElement {
  const { device } = useStand()
  const isOffline = useSyncStatus((status) => status.connection === 'paused')
  return (
    <button
      type="button"
      role="switch"
      aria-checked={isOffline}
      className="switch"
      onClick={() => device.setOffline(!isOffline)}
    >
      <span className="switch-track">
        <span className="switch-thumb" />
      </span>
      Go offline
    </button>
  )
}
