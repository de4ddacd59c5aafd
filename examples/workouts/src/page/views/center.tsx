// The list of what waits: nothing is queued that cannot be seen here. A panel beside the app, over it on phones; the app stays in
// reach. First what needs a person, then what waits in the order of sending, then the device itself.
import type { OutboxItem } from 'holdfast/client'
import { type ReactElement, type ReactNode, type Ref, useEffect, useId, useRef, useState } from 'react'
import { timeOrDate } from '../format.ts'
import { useClient, useOutbox, useStand, useSyncStatus } from '../hooks.ts'
import { Badge } from '../parts/badge.tsx'
import { CloseIcon } from '../parts/icons.tsx'
import { OfflineSwitch } from '../parts/switch.tsx'
import { changes, reasonOf } from '../words.ts'

/** Entries of a section that are drawn: a person reads no three thousand, and drawing them would make the page stand still. */
const DRAWN = 50

/** The panel. */
export function Center({
  id,
  actor,
  onClose,
}: {
  readonly id: string
  readonly actor: string
  readonly onClose: () => void
}): ReactElement {
  const panel = useRef<HTMLElement>(null)
  const titleId = useId()
  const items = useOutbox()
  useEffect(() => panel.current?.focus(), [])
  const attention = items.filter(({ badge }) => badge === 'failed' || badge === 'conflict' || badge === 'unsaved')
  const waiting = items.filter(({ badge }) => badge === 'saving' || badge === 'queued' || badge === 'sending')
  return (
    <aside
      ref={panel}
      id={id}
      className="center"
      role="dialog"
      aria-labelledby={titleId}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <header className="center-head">
        <h2 id={titleId}>Sync</h2>
        <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      <State />
      {attention.length > 0 && (
        <Section title={`Needs attention (${attention.length.toLocaleString('en')})`} items={attention} />
      )}
      <Section title={`Waiting on this device (${waiting.length.toLocaleString('en')})`} items={waiting}>
        {waiting.length === 0 && (
          <p className="quiet">
            {attention.length === 0 ? 'Nothing waits: the server has confirmed everything.' : 'Nothing else waits.'}
          </p>
        )}
      </Section>
      <ThisDevice actor={actor} waiting={waiting.length} />
    </aside>
  )
}

function State(): ReactElement {
  const client = useClient()
  const { connection, fault, heardAt, waiting, attempts } = useSyncStatus()
  const sentence = {
    online: 'Connected to the server.',
    connecting: 'Asking the server…',
    offline: 'The server cannot be reached. Trying again by itself.',
    held: 'Sync waits for you.',
    paused: 'Cut off by the demo’s switch. Changes stay on this device.',
    broken: 'Sync has stopped. What is on this device was left untouched.',
  }[connection]
  return (
    <div className="center-state">
      <p>
        {sentence} {waiting > 0 && `${changes(waiting)} ${waiting === 1 ? 'waits' : 'wait'}.`}
      </p>
      {heardAt !== undefined && <p className="quiet">Last heard from the server {timeOrDate(heardAt, Date.now())}.</p>}
      {fault !== undefined && connection !== 'online' && connection !== 'paused' && (
        <p className="quiet">
          {fault.message} <code>{fault.code}</code>
          {attempts > 1 && `, ${attempts} attempts`}
        </p>
      )}
      <div className="actions">
        {connection === 'paused' ? (
          <OfflineSwitch />
        ) : (
          <button type="button" className="button" onClick={() => client.resume()}>
            Sync now
          </button>
        )}
      </div>
    </div>
  )
}

function Section({
  title,
  items,
  children,
}: {
  readonly title: string
  readonly items: readonly OutboxItem[]
  readonly children?: ReactNode
}): ReactElement {
  return (
    <section className="center-section">
      <h3>{title}</h3>
      {children}
      {items.length > 0 && (
        <ol className="items">
          {items.slice(0, DRAWN).map((item) => (
            <Item key={item.id} item={item} />
          ))}
        </ol>
      )}
      {items.length > DRAWN && (
        <p className="quiet">
          … and {(items.length - DRAWN).toLocaleString('en')} more, in the order in which you made them.
        </p>
      )}
    </section>
  )
}

function Item({ item }: { readonly item: OutboxItem }): ReactElement {
  const client = useClient()
  const [isSure, setSure] = useState(false)
  const { title, badge, madeAt, attempts, outcome, parked } = item
  const isDecided = outcome !== undefined && outcome.status !== 'refused'
  const why = outcome !== undefined && outcome.status !== 'applied' ? outcome.code : parked?.reason
  const discard = ({ currentTarget }: { readonly currentTarget: HTMLElement }): void => {
    // The item leaves the panel with its button: the focus stays in the panel.
    currentTarget.closest<HTMLElement>('[role=dialog]')?.focus()
    // Only a client that is being closed refuses, and its panel goes with it.
    client.discard(item.id).catch(() => undefined)
  }
  return (
    <li className="item">
      <div className="item-line">
        <span className="item-title">{title}</span>
        <Badge state={badge} />
      </div>
      {why !== undefined && (
        <p className="item-why">
          {reasonOf(why)} <code className="quiet">{why}</code>
        </p>
      )}
      <p className="quiet">
        {timeOrDate(madeAt, Date.now())}
        {attempts > 1 && ` · ${attempts} attempts`}
      </p>
      {isDecided ? (
        badge === 'failed' && (
          <button type="button" className="button small" aria-label={`Dismiss ${title}`} onClick={discard}>
            Dismiss
          </button>
        )
      ) : isSure ? (
        <fieldset className="actions" aria-label={`Discard ${title}?`}>
          <button type="button" className="button danger" onClick={discard}>
            Discard this change
          </button>
          <button type="button" className="button" onClick={() => setSure(false)}>
            Keep it
          </button>
        </fieldset>
      ) : (
        <button
          type="button"
          className="button danger-text small"
          aria-label={`Discard ${title}`}
          onClick={() => setSure(true)}
        >
          Discard…
        </button>
      )}
    </li>
  )
}

function ThisDevice({ actor, waiting }: { readonly actor: string; readonly waiting: number }): ReactElement {
  const { device, name } = useStand()
  const { storage, tab } = useSyncStatus(({ storage, tab }) => ({ storage, tab }))
  const [isSure, setSure] = useState(false)
  const signOut = (): void => (waiting > 0 && !isSure ? setSure(true) : device.signOut())
  return (
    <section className="center-section">
      <h3>This device</h3>
      <dl>
        <dt>Name</dt>
        <dd>{name}</dd>
        <dt>Signed in as</dt>
        <dd>{actor}</dd>
        <dt>Storage</dt>
        <dd>
          {storage === undefined
            ? 'not open yet'
            : `${storage.mode}${storage.isDurable ? ', safe when the power fails' : ', may lose changes when the power fails'}`}
        </dd>
        {tab !== 'alone' && (
          <>
            <dt>This tab</dt>
            <dd>{tab === 'leading' ? 'talks to the server for all tabs' : 'hears through another tab'}</dd>
          </>
        )}
      </dl>
      {isSure && (
        <p role="alert">
          {changes(waiting)} of {actor} {waiting === 1 ? 'is' : 'are'} not synced. They stay on this device and are sent
          when {actor} signs in here again.
        </p>
      )}
      <div className="actions">
        <button type="button" className="button" onClick={signOut}>
          {isSure ? 'Sign out all the same' : 'Sign out'}
        </button>
        {isSure && (
          <button type="button" className="button" onClick={() => setSure(false)}>
            Stay
          </button>
        )}
      </div>
    </section>
  )
}

/** What a button that opens the panel needs. */
export interface CenterDoor {
  readonly isOpen: boolean
  readonly panelId: string
  readonly door: Ref<HTMLButtonElement>
  open(): void
  close(): void
}

/** Opens and closes the panel; closing gives the focus back to where it came from. */
export function useCenter(): CenterDoor {
  const panelId = useId()
  const door = useRef<HTMLButtonElement>(null)
  const [isOpen, setOpen] = useState(false)
  return {
    isOpen,
    panelId,
    door,
    open: () => setOpen(!isOpen),
    close() {
      setOpen(false)
      door.current?.focus()
    },
  }
}
