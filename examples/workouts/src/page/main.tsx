// The page begins here: one device with the address bar as its place, or the page with two.
import { type ReactElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { openDevice } from './device.ts'
import { HoldfastProvider, useRoute, useSignedIn } from './hooks.ts'
import { openMemory } from './memory.ts'
import { addressNavigator } from './navigator.ts'
import { watchForUpdate } from './update.ts'
import { DeviceScreen } from './views/device-screen.tsx'
import { Two } from './views/two.tsx'
import { UpdateBanner } from './views/update-banner.tsx'

const memory = await openMemory('workouts-page')
const device = openDevice('workouts', memory)
const place = addressNavigator()
const update = watchForUpdate()

function Page(): ReactElement {
  const route = useRoute(place)
  const signedIn = useSignedIn(device)
  return (
    <>
      <HoldfastProvider client={signedIn?.client}>
        <UpdateBanner update={update} />
      </HoldfastProvider>
      {route.at === 'two' ? (
        <Two memory={memory} actor={signedIn?.actor} onLeave={() => place.go({ at: 'workouts' })} />
      ) : (
        <DeviceScreen device={device} navigator={place} name="This browser" title="Workouts">
          <a
            className="demo-link"
            href="/two"
            onClick={(event) => {
              event.preventDefault()
              place.go({ at: 'two' })
            }}
          >
            Two devices
          </a>
        </DeviceScreen>
      )}
    </>
  )
}

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no element «root»')
createRoot(root).render(
  <StrictMode>
    <Page />
  </StrictMode>,
)
