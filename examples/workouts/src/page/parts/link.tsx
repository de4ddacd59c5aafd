// A link to another place of the app: goes there without loading the page again. In one of two devices on a page the place is not
// in the address bar, so a link there is a button.
import type { MouseEvent, ReactElement, ReactNode } from 'react'
import { useStand } from '../hooks.ts'
import { pathOf, type Route } from '../routes.ts'

/** A link to a place. */
export function Link({
  to,
  className,
  children,
}: {
  readonly to: Route
  readonly className?: string
  readonly children: ReactNode
}): ReactElement {
  const { navigator } = useStand()
  const go = (event: MouseEvent): void => {
    // What people do with keys held is for the browser: a new tab, a download.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigator.go(to)
  }
  return navigator.hasAddress ? (
    <a className={className} href={pathOf(to)} onClick={go}>
      {children}
    </a>
  ) : (
    <button type="button" className={className} onClick={go}>
      {children}
    </button>
  )
}
