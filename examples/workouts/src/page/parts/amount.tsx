// A number that is mostly one step from the last one: a field with a button on each side, large enough for a thumb that shakes.
import { type ReactElement, useId } from 'react'
import { stepped } from '../format.ts'
import { MinusIcon, PlusIcon } from './icons.tsx'

/** A field for an amount; its text is the caller's. */
export function Amount({
  label,
  value,
  step,
  isWrong,
  onChange,
}: {
  readonly label: string
  readonly value: string
  readonly step: number
  readonly isWrong: boolean
  readonly onChange: (value: string) => void
}): ReactElement {
  const id = useId()
  return (
    <div className="amount">
      <label htmlFor={id}>{label}</label>
      <div className="amount-row">
        <button type="button" aria-label={`${label}: ${step} less`} onClick={() => onChange(stepped(value, -step))}>
          <MinusIcon />
        </button>
        <input
          id={id}
          inputMode="decimal"
          autoComplete="off"
          value={value}
          aria-invalid={isWrong}
          onChange={(event) => onChange(event.target.value)}
          onFocus={(event) => event.target.select()}
        />
        <button type="button" aria-label={`${label}: ${step} more`} onClick={() => onChange(stepped(value, step))}>
          <PlusIcon />
        </button>
      </div>
    </div>
  )
}
