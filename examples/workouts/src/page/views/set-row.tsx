// One set: its number, what was lifted, and what became of it. Opens into a form to change or delete it.
import type { RowOf } from 'holdfast'
import type { Shown } from 'holdfast/client'
import { type FormEvent, type ReactElement, useState } from 'react'
import type { app } from '../../app.ts'
import { setLine } from '../format.ts'
import { useMutators } from '../hooks.ts'
import { Badge } from '../parts/badge.tsx'
import { EditIcon } from '../parts/icons.tsx'
import { Provisional } from '../parts/provisional.tsx'
import { readDraft, type SetDraft, SetFields } from '../parts/set-fields.tsx'

/** A set as a query shows it. */
export type ShownSet = Shown<RowOf<typeof app.tables.sets>>

/** The line of a set. */
export function SetRow({
  set,
  exercises,
  isEditing,
  onEdit,
}: {
  readonly set: ShownSet
  readonly exercises: readonly string[]
  readonly isEditing: boolean
  /** The set whose form is open from now on; undefined for none. */
  readonly onEdit: (id: string | undefined) => void
}): ReactElement {
  const isProvisional = set.sync.provisional.includes('position')
  const line = setLine(set)
  return (
    <li className="set" data-set={set.id}>
      <div className="set-line">
        <span className="set-number">
          <Provisional is={isProvisional}>{set.position}</Provisional>
        </span>
        <span className="set-what">
          {line}
          {set.kind !== 'normal' && <span className="kind">{set.kind}</span>}
          {set.notes !== '' && <span className="quiet set-notes">{set.notes}</span>}
        </span>
        <Badge state={set.sync.state} />
        <button
          type="button"
          className="icon-button"
          aria-label={`Change set ${set.position}, ${set.exercise}: ${line}`}
          aria-expanded={isEditing}
          onClick={() => onEdit(isEditing ? undefined : set.id)}
        >
          <EditIcon />
        </button>
      </div>
      {isEditing && <EditSet set={set} exercises={exercises} onDone={() => onEdit(undefined)} />}
    </li>
  )
}

function EditSet({
  set,
  exercises,
  onDone,
}: {
  readonly set: ShownSet
  readonly exercises: readonly string[]
  readonly onDone: () => void
}): ReactElement {
  const { editSet, deleteSet } = useMutators()
  const [draft, setDraft] = useState<SetDraft>({
    exercise: set.exercise,
    weight: set.weight === null ? '' : String(set.weight),
    reps: set.reps === null ? '' : String(set.reps),
  })
  const [wrong, setWrong] = useState('')
  const [isSure, setSure] = useState(false)
  const save = (event: FormEvent): void => {
    event.preventDefault()
    const read = readDraft(draft)
    if ('wrong' in read) return setWrong(read.wrong)
    // Only what is other than before: two devices that change different things of one set both get their way.
    const patch = {
      ...(read.exercise === set.exercise ? {} : { exercise: read.exercise }),
      ...(read.weight === set.weight ? {} : { weight: read.weight }),
      ...(read.reps === set.reps ? {} : { reps: read.reps }),
    }
    if (Object.keys(patch).length > 0) {
      editSet({ id: set.id, ...patch }).saved.then(onDone, () => setWrong('Not saved. Your change is still here.'))
    } else onDone()
  }
  const remove = (): void => {
    deleteSet({ id: set.id }).saved.catch(() => setWrong('Not saved: the set is still there.'))
  }
  return (
    <form className="edit fields" aria-label={`Change set ${set.position}`} onSubmit={save}>
      <SetFields draft={draft} unit={set.weightUnit} exercises={exercises} onChange={setDraft} />
      {wrong !== '' && (
        <p className="wrong" role="alert">
          {wrong}
        </p>
      )}
      <div className="actions">
        <button type="submit" className="button primary">
          Save
        </button>
        <button type="button" className="button" onClick={onDone}>
          Cancel
        </button>
        {isSure ? (
          <button type="button" className="button danger" onClick={remove}>
            Delete this set
          </button>
        ) : (
          <button type="button" className="button danger-text" onClick={() => setSure(true)}>
            Delete…
          </button>
        )}
      </div>
    </form>
  )
}
