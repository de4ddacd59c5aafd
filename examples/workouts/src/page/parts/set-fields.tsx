// The fields of a set as a person fills them in, and what they come to. Used to log a set and to change one; keeps texts, not
// numbers, so that nothing jumps while somebody types.
import { type ReactElement, useId } from 'react'
import { typedAmount } from '../format.ts'
import { Amount } from './amount.tsx'

/** What stands in the fields. */
export interface SetDraft {
  readonly exercise: string
  readonly weight: string
  readonly reps: string
}

/** What a draft comes to, or what is wrong with it. */
export type ReadDraft =
  | { readonly exercise: string; readonly weight: number | null; readonly reps: number | null }
  | { readonly wrong: string }

/** Reads the fields. */
export function readDraft(draft: SetDraft): ReadDraft {
  const exercise = draft.exercise.trim()
  const [weight, reps] = [typedAmount(draft.weight), typedAmount(draft.reps)]
  if (exercise === '') return { wrong: 'Which exercise was it?' }
  if (weight === undefined) return { wrong: 'The weight must be a number, like 62.5.' }
  if (reps === undefined) return { wrong: 'The reps must be a number.' }
  return { exercise, weight, reps }
}

/** Exercises that are offered before there are others. */
export const USUAL_EXERCISES = ['Squat', 'Bench press', 'Deadlift', 'Row', 'Overhead press']

/** The fields. */
export function SetFields({
  draft,
  unit,
  exercises,
  onChange,
}: {
  readonly draft: SetDraft
  readonly unit: string
  readonly exercises: readonly string[]
  readonly onChange: (draft: SetDraft) => void
}): ReactElement {
  const id = useId()
  return (
    <>
      <div className="field exercise-field">
        <label htmlFor={id}>Exercise</label>
        <input
          id={id}
          list={`${id}-known`}
          value={draft.exercise}
          maxLength={300}
          autoComplete="off"
          autoCapitalize="sentences"
          enterKeyHint="done"
          onChange={(event) => onChange({ ...draft, exercise: event.target.value })}
        />
        <datalist id={`${id}-known`}>
          {exercises.map((exercise) => (
            <option key={exercise} value={exercise} />
          ))}
        </datalist>
      </div>
      <Amount
        label={unit === '' ? 'kg' : unit}
        value={draft.weight}
        step={2.5}
        isWrong={typedAmount(draft.weight) === undefined}
        onChange={(weight) => onChange({ ...draft, weight })}
      />
      <Amount
        label="reps"
        value={draft.reps}
        step={1}
        isWrong={typedAmount(draft.reps) === undefined}
        onChange={(reps) => onChange({ ...draft, reps })}
      />
    </>
  )
}
