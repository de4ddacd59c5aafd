// The import of an export of Strong or Hevy: choose a file, watch it come in, read what could not be read. The work is
// importer.ts, which goes on when this screen is left.
import { type ChangeEvent, type ReactElement, useId, useSyncExternalStore } from 'react'
import type { Importer, ImportState } from '../importer.ts'
import { Heading } from '../parts/heading.tsx'
import { FileIcon } from '../parts/icons.tsx'
import { Link } from '../parts/link.tsx'
import { counted } from '../words.ts'

/** Unreadable lines that are listed. */
const LISTED = 20

/** The state of an importer, up to date. */
export function useImport(importer: Importer): ImportState {
  return useSyncExternalStore(importer.subscribe, importer.state)
}

/** The screen. */
export function Import({ importer }: { readonly importer: Importer }): ReactElement {
  const state = useImport(importer)
  return (
    <main className="screen">
      <Heading>Import</Heading>
      <p className="quiet">
        Brings in your history from Strong (Settings → Export data) or Hevy (Settings → Export &amp; import data). It
        works offline, and importing a file twice adds nothing twice.
      </p>
      {state.is === 'running' ? <Running state={state} /> : <Choose importer={importer} />}
      {state.is === 'failed' && (
        <p className="wrong" role="alert">
          {state.name}: {state.reason}
        </p>
      )}
      {state.is === 'done' && <Done state={state} />}
    </main>
  )
}

function Choose({ importer }: { readonly importer: Importer }): ReactElement {
  const id = useId()
  const choose = ({ target }: ChangeEvent<HTMLInputElement>): void => {
    const file = target.files?.[0]
    // The same file can be chosen again.
    target.value = ''
    if (file !== undefined) void importer.start(file.name, async () => new Uint8Array(await file.arrayBuffer()))
  }
  return (
    <div className="file-field">
      <input id={id} className="unseen" type="file" accept=".csv,text/csv" onChange={choose} />
      <label htmlFor={id} className="drop">
        <FileIcon />
        <strong>Choose a .csv file</strong>
        <span className="quiet">It stays on this device until it is sent.</span>
      </label>
    </div>
  )
}

function Running({ state }: { readonly state: ImportState & { readonly is: 'running' } }): ReactElement {
  const id = useId()
  const text =
    state.doing === 'reading'
      ? `Reading ${state.name}…`
      : `${state.done.toLocaleString('en')} of ${counted(state.all, 'entry').replace('entrys', 'entries')} on this device`
  return (
    <div className="card progress">
      <label htmlFor={id}>{text}</label>
      <progress id={id} value={state.done} max={state.all} />
      <p className="quiet">You can go on using the app.</p>
    </div>
  )
}

function Done({ state }: { readonly state: ImportState & { readonly is: 'done' } }): ReactElement {
  const { name, workouts, sets, known, problems } = state
  const added = [workouts > 0 ? counted(workouts, 'workout') : '', sets > 0 ? counted(sets, 'set') : ''].filter(Boolean)
  return (
    <div className="card done" role="status">
      <h2>{name}</h2>
      <p>
        {added.length === 0 ? 'Nothing new' : `${added.join(' and ')} added`}
        {known > 0 && `, ${known.toLocaleString('en')} were here already`}
        {problems.length > 0 && `, ${counted(problems.length, 'line')} left out`}.
      </p>
      {problems.length > 0 && (
        <details>
          <summary>Lines that were left out</summary>
          <ul>
            {problems.slice(0, LISTED).map(({ line, reason }) => (
              <li key={`${line} ${reason}`}>
                Line {line}: {reason}
              </li>
            ))}
          </ul>
          {problems.length > LISTED && <p>… and {counted(problems.length - LISTED, 'more line')}.</p>}
        </details>
      )}
      <Link to={{ at: 'workouts' }} className="button primary">
        See the workouts
      </Link>
    </div>
  )
}
