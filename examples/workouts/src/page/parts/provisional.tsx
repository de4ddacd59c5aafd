// A value that the server has still to give: dotted below, and its title says why.
import type { ReactElement, ReactNode } from 'react'
import { PROVISIONAL } from '../words.ts'

/** Marks a value as long as it is provisional. */
export function Provisional({ is, children }: { readonly is: boolean; readonly children: ReactNode }): ReactElement {
  return is ? (
    <span className="provisional" title={PROVISIONAL}>
      {children}
      <span className="unseen">, {PROVISIONAL}</span>
    </span>
  ) : (
    <span>{children}</span>
  )
}
