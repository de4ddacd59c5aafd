// The form at the bottom of a workout: filled in with the last set, so that the usual next set is one tap. What is in it stays
// until the device has it: a set that could not be saved is still in the form.
import { type FormEvent, type ReactElement, useState } from 'react'
import { useMutators } from '../hooks.ts'
import { readDraft, type SetDraft, SetFields, USUAL_EXERCISES } from '../parts/set-fields.tsx'
import type { ShownSet } from './set-row.tsx'

/** The form. `last` is the workout's last set. */
export function LogSet({
  workoutId,
  last,
  exercises,
  isHidden,
  onLogged,
}: {
  readonly workoutId: string
  readonly last: ShownSet | undefined
  readonly exercises: readonly string[]
  /** Makes room for another form; what was typed stays. */
  readonly isHidden: boolean
  readonly onLogged: () => void
}): ReactElement {
  const { logSet } = useMutators()
  const [typed, setTyped] = useState<SetDraft>()
  const [wrong, setWrong] = useState('')
  const draft = typed ?? draftLike(last)
  const unit = last?.weightUnit === 'lb' ? 'lb' : 'kg'
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const read = readDraft(draft)
    if ('wrong' in read) return setWrong(read.wrong)
    setWrong('')
    // What was logged stays in the fields, whatever the other device logs meanwhile.
    setTyped(draft)
    const call = logSet({ id: crypto.randomUUID(), workoutId, ...read, weightUnit: unit })
    onLogged()
    call.saved.catch(() => setWrong('Not saved. Your set is still in the form.'))
  }
  return (
    <form className="log-set" hidden={isHidden} aria-label="Log a set" onSubmit={submit}>
      {last === undefined && draft.exercise === '' && (
        <fieldset className="chips" aria-label="Usual exercises">
          {USUAL_EXERCISES.map((exercise) => (
            <button
              key={exercise}
              type="button"
              className="chip"
              onClick={() => setTyped({ exercise, weight: draft.weight || '20', reps: draft.reps || '5' })}
            >
              {exercise}
            </button>
          ))}
        </fieldset>
      )}
      {wrong !== '' && (
        <p className="wrong" role="alert">
          {wrong}
        </p>
      )}
      <div className="fields">
        <SetFields draft={draft} unit={unit} exercises={exercises} onChange={setTyped} />
        <button type="submit" className="button primary log-button">
          Log set
        </button>
      </div>
    </form>
  )
}

function draftLike(last: ShownSet | undefined): SetDraft {
  if (last === undefined) return { exercise: '', weight: '', reps: '' }
  return {
    exercise: last.exercise,
    weight: last.weight === null ? '' : String(last.weight),
    reps: last.reps === null ? '' : String(last.reps),
  }
}
