// The status of the whole device: one button with one state, which opens the list of what waits. What it says is pill.ts.
import type { ReactElement, Ref } from 'react'
import { usePill } from '../hooks.ts'
import { StateIcon } from './icons.tsx'

/** The pill. */
export function StatusPill({
  isOpen,
  panelId,
  onOpen,
  ref,
}: {
  readonly isOpen: boolean
  readonly panelId: string
  readonly onOpen: () => void
  readonly ref: Ref<HTMLButtonElement>
}): ReactElement {
  const { key, text, tone, shape } = usePill()
  return (
    <button
      ref={ref}
      type="button"
      className={`pill tone-${tone}`}
      data-status={key}
      aria-haspopup="dialog"
      aria-expanded={isOpen}
      aria-controls={isOpen ? panelId : undefined}
      onClick={onOpen}
    >
      <StateIcon shape={shape} />
      <span>{text}</span>
    </button>
  )
}
