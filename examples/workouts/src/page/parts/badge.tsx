// What became of one row: shape and word, never a colour alone. Not announced when it changes, or a person who logs ten sets would
// hear thirty sentences. Which word belongs to which state is words.ts.
import type { Badge as State } from 'holdfast/client'
import type { ReactElement } from 'react'
import { BADGES } from '../words.ts'
import { StateIcon } from './icons.tsx'

/** The badge of a state. */
export function Badge({ state }: { readonly state: State }): ReactElement {
  const { label, meaning, shape, tone } = BADGES[state]
  return (
    <span className={`badge tone-${tone}`} data-state={state} title={meaning}>
      <StateIcon shape={shape} />
      <span className="badge-label">{label}</span>
    </span>
  )
}
