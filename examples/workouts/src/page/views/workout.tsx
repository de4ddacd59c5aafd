// One workout: its sets in the order that the server gave them, and the form for the next one. A set shows as soon as it is
// logged, with the number that it will probably have. What the form does is log-set.tsx, what a line does set-row.tsx.
import { type FormEvent, type ReactElement, useId, useRef, useState } from 'react'
import { plainNumber, workoutTime } from '../format.ts'
import { useLiveQuery, useMutators, useStand } from '../hooks.ts'
import { Badge } from '../parts/badge.tsx'
import { Heading } from '../parts/heading.tsx'
import { EditIcon } from '../parts/icons.tsx'
import { Link } from '../parts/link.tsx'
import { Provisional } from '../parts/provisional.tsx'
import { USUAL_EXERCISES } from '../parts/set-fields.tsx'
import { counted } from '../words.ts'
import { LogSet } from './log-set.tsx'
import { SetRow, type ShownSet } from './set-row.tsx'

/** The screen of a workout. */
export function Workout({ id }: { readonly id: string }): ReactElement {
  const { state, rows, isComplete } = useLiveQuery(({ workouts }) => workouts.where({ id }))
  const { rows: sets } = useLiveQuery((queries) => queries.sets.where({ workoutId: id }).orderBy('position'))
  const { rows: allTotals } = useLiveQuery(({ workoutTotals }) => workoutTotals.where({ id }))
  const [isEditing, setEditing] = useState(false)
  const [editedSet, setEditedSet] = useState<string>()
  const end = useRef<HTMLDivElement>(null)
  const [workout] = rows
  const [totals] = allTotals
  if (workout === undefined) return <Absent isWaiting={state === 'loading' || !isComplete} />
  const exercises = [...new Set([...sets.map(({ exercise }) => exercise), ...USUAL_EXERCISES])]
  const isProvisional = (totals?.sync.provisional.length ?? 0) > 0
  return (
    <main className="screen with-form">
      <div className="title-row">
        <Heading>{workout.name || 'Workout'}</Heading>
        <button
          type="button"
          className="icon-button"
          aria-label="Rename or delete this workout"
          aria-expanded={isEditing}
          onClick={() => setEditing(!isEditing)}
        >
          <EditIcon />
        </button>
      </div>
      <p className="quiet under-title">
        <span>
          {workoutTime(workout.startedAt)}
          {totals !== undefined && (
            <>
              {' · '}
              <Provisional is={isProvisional}>
                {counted(totals.sets, 'set')}
                {totals.volume > 0 && ` · ${plainNumber(Math.round(totals.volume))} kg`}
              </Provisional>
            </>
          )}
        </span>
        <Badge state={workout.sync.state} />
      </p>
      {workout.notes !== '' && <p className="notes">{workout.notes}</p>}
      {isEditing && <EditWorkout id={id} name={workout.name} setCount={sets.length} onDone={() => setEditing(false)} />}
      {sets.length === 0 ? (
        <p className="quiet first-set">Log the first set below.</p>
      ) : (
        groupsOf(sets).map((group) => (
          <section key={group[0]?.id} className="exercise">
            <h2>{group[0]?.exercise}</h2>
            <ol className="card sets">
              {group.map((set) => (
                <SetRow
                  key={set.id}
                  set={set}
                  exercises={exercises}
                  isEditing={set.id === editedSet}
                  onEdit={setEditedSet}
                />
              ))}
            </ol>
          </section>
        ))
      )}
      <div ref={end} className="sets-end" />
      <LogSet
        workoutId={id}
        last={sets.at(-1)}
        exercises={exercises}
        isHidden={sets.some((set) => set.id === editedSet)}
        onLogged={() => requestAnimationFrame(() => end.current?.scrollIntoView({ block: 'nearest' }))}
      />
    </main>
  )
}

/** Sets that follow each other with one exercise stand under one heading. The order stays that of their positions. */
function groupsOf(sets: readonly ShownSet[]): readonly (readonly ShownSet[])[] {
  const groups: ShownSet[][] = []
  for (const set of sets) {
    const group = groups.at(-1)
    if (group?.[0]?.exercise === set.exercise) group.push(set)
    else groups.push([set])
  }
  return groups
}

function Absent({ isWaiting }: { readonly isWaiting: boolean }): ReactElement {
  return (
    <main className="screen">
      <Heading>{isWaiting ? 'Workout' : 'This workout is gone'}</Heading>
      <p className="quiet">
        {isWaiting
          ? 'It is not on this device yet. It comes when the server is reached.'
          : 'It was deleted, here or on another device.'}
      </p>
      <Link to={{ at: 'workouts' }} className="button">
        All workouts
      </Link>
    </main>
  )
}

function EditWorkout({
  id,
  name,
  setCount,
  onDone,
}: {
  readonly id: string
  readonly name: string
  readonly setCount: number
  readonly onDone: () => void
}): ReactElement {
  const { navigator } = useStand()
  const { renameWorkout, deleteWorkout } = useMutators()
  const fieldId = useId()
  const [text, setText] = useState(name)
  const [isSure, setSure] = useState(false)
  const rename = (event: FormEvent): void => {
    event.preventDefault()
    if (text.trim() !== '' && text.trim() !== name) renameWorkout({ id, name: text.trim() })
    onDone()
  }
  const remove = (): void => {
    deleteWorkout({ id })
    navigator.back()
  }
  return (
    <form className="card edit" onSubmit={rename}>
      <div className="field">
        <label htmlFor={fieldId}>Name</label>
        <input id={fieldId} value={text} maxLength={300} onChange={(event) => setText(event.target.value)} />
      </div>
      <div className="actions">
        <button type="submit" className="button primary">
          Rename
        </button>
        <button type="button" className="button" onClick={onDone}>
          Cancel
        </button>
        {isSure ? (
          <button type="button" className="button danger" onClick={remove}>
            Delete it with {counted(setCount, 'set')}
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
