// The heading of a screen. A person who has gone to another place finds the focus here, as after loading a page.
import { type ReactElement, type ReactNode, useEffect, useRef } from 'react'
import { useStand } from '../hooks.ts'

/** Places whose first screen has been shown: at the start the focus stays where the browser puts it. */
const begun = new WeakSet<object>()

/** The heading, which takes the focus when its screen is shown. */
export function Heading({ children }: { readonly children: ReactNode }): ReactElement {
  const { navigator } = useStand()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (begun.has(navigator)) heading.current?.focus({ preventScroll: true })
    begun.add(navigator)
  }, [navigator])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}
