// Signing in: a name, because this is a demo (see demo-token.ts). Works without a network too: each name has its own list on this
// device.
import { type FormEvent, type ReactElement, useId, useState } from 'react'
import { Barbell } from '../parts/icons.tsx'

/** Asks for a name. */
export function SignIn({
  title,
  action,
  onSignIn,
}: {
  readonly title: string
  readonly action: string
  readonly onSignIn: (actor: string) => void
}): ReactElement {
  const id = useId()
  const [name, setName] = useState('')
  const actor = name.trim()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (actor !== '') onSignIn(actor)
  }
  return (
    <main className="sign-in">
      <div className="mark">
        <Barbell />
      </div>
      <h1>{title}</h1>
      <p className="quiet">A training log that keeps working without a network.</p>
      <form className="card" onSubmit={submit}>
        <div className="field">
          <label htmlFor={id}>Your name</label>
          <input
            id={id}
            value={name}
            maxLength={60}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            enterKeyHint="go"
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <button type="submit" className="button primary wide" disabled={actor === ''}>
          {action}
        </button>
        <p className="hint">
          This is a demo: the name is all it takes, there is no password. Sign in with the same name elsewhere to see
          the same list.
        </p>
      </form>
    </main>
  )
}
