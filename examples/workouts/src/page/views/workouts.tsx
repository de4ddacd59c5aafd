// The list of workouts, newest first, as many as fit a few screens and more on demand. Each line has one badge for the workout and
// its sets together: that of whatever is farthest from synced.

import type { RowOf } from 'holdfast'
import type { Shown } from 'holdfast/client'
import { type ReactElement, useState } from 'react'
import type { app } from '../../app.ts'
import { plainNumber, usualName, wallClock, workoutTime } from '../format.ts'
import { useLiveQuery, useMutators, useStand } from '../hooks.ts'
import { Badge } from '../parts/badge.tsx'
import { Heading } from '../parts/heading.tsx'
import { Barbell, FileIcon, PlusIcon } from '../parts/icons.tsx'
import { Link } from '../parts/link.tsx'
import { Provisional } from '../parts/provisional.tsx'
import { counted, farthest } from '../words.ts'

/** Workouts that are shown at once. */
const PAGE = 30

/** The list. */
export function Workouts({ actor }: { readonly actor: string }): ReactElement {
  const { navigator } = useStand()
  const { logWorkout } = useMutators()
  const [length, setLength] = useState(PAGE)
  // One more than is shown tells whether there are more.
  const { state, rows, isComplete } = useLiveQuery(({ workouts }) =>
    workouts.orderBy('startedAt', 'desc').limit(length + 1),
  )
  const start = (): void => {
    const id = crypto.randomUUID()
    const startedAt = wallClock(Date.now(), new Date().getTimezoneOffset())
    logWorkout({ id, name: usualName(startedAt), startedAt })
    navigator.go({ at: 'workout', id })
  }
  return (
    <main className="screen">
      <Heading>Workouts</Heading>
      <p className="quiet under-title">Signed in as {actor}</p>
      <div className="actions">
        <button type="button" className="button primary" onClick={start}>
          <PlusIcon />
          Start workout
        </button>
        <Link to={{ at: 'import' }} className="button">
          <FileIcon />
          Import
        </Link>
      </div>
      {state === 'loading' ? (
        <p className="quiet" role="status">
          Opening what this device has kept…
        </p>
      ) : rows.length === 0 ? (
        <Nothing isComplete={isComplete} />
      ) : (
        <ul className="list">
          {rows.slice(0, length).map((workout) => (
            <li key={workout.id}>
              <WorkoutCard workout={workout} />
            </li>
          ))}
        </ul>
      )}
      {rows.length > length && (
        <button type="button" className="button wide" onClick={() => setLength(length + PAGE)}>
          Show older workouts
        </button>
      )}
    </main>
  )
}

function WorkoutCard({ workout }: { readonly workout: Shown<RowOf<typeof app.tables.workouts>> }): ReactElement {
  const { rows } = useLiveQuery(({ workoutTotals }) => workoutTotals.where({ id: workout.id }))
  const [totals] = rows
  const isProvisional = (totals?.sync.provisional.length ?? 0) > 0
  return (
    <Link to={{ at: 'workout', id: workout.id }} className="card workout-card">
      <span className="workout-name">{workout.name || 'Workout'}</span>
      <span className="quiet workout-when">{workoutTime(workout.startedAt)}</span>
      <span className="workout-totals">
        <Provisional is={isProvisional}>
          {counted(totals?.sets ?? 0, 'set')}
          {totals !== undefined && totals.volume > 0 && ` · ${plainNumber(Math.round(totals.volume))} kg`}
        </Provisional>
      </span>
      <Badge state={farthest([workout.sync.state, ...(totals === undefined ? [] : [totals.sync.state])])} />
    </Link>
  )
}

function Nothing({ isComplete }: { readonly isComplete: boolean }): ReactElement {
  return (
    <div className="nothing">
      <div className="mark">
        <Barbell />
      </div>
      {isComplete ? (
        <p>No workouts yet. Start one, or import an export from Strong or Hevy.</p>
      ) : (
        <p>
          Nothing on this device yet. What you have logged elsewhere comes when the server is reached; start anyway.
        </p>
      )}
    </div>
  )
}
