// The React binding on the real client, rendered by React into a DOM and on a server: what is shown and when, how often, which
// queries are open, and what is said where something is missing. Its types are tried in test/types.
/** @vitest-environment happy-dom */
import type { Query } from 'holdfast'
import {
  type Client,
  countOf,
  createClient,
  type OutboxItem,
  pointersOf,
  type Shown,
  type SyncInfo,
} from 'holdfast/client'
import {
  createHooks,
  HoldfastProvider,
  useClient,
  useLiveQuery,
  useMutators,
  useOutbox,
  usePointer,
  useQueryInfo,
  useRowSync,
  useSyncStatus,
} from 'holdfast/react'
import { type ComponentType, memo, Profiler, type ReactNode, StrictMode, startTransition } from 'react'
import { renderToString } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import { type Notes as App, notes } from '../client/notes.ts'
import { createWorld, type World } from '../client/world.ts'
import { count } from './count.ts'
import { Boundary, createPlace, happens, settle } from './page.tsx'

interface Note {
  readonly id: string
  readonly text: string
}

const byId = notes.query.notes.orderBy('id')
/** A query over a table that there is not, as one of another app would be. */
const wrong: typeof byId = { ...byId, spec: { ...byId.spec, table: 'laps' } }

/** A client that shows the notes n1 … nN, all synced. */
async function clientWith(...texts: readonly string[]) {
  const world = createWorld()
  const client = await world.client()
  texts.forEach((text, at) => void client.mutate.put({ id: `n${at + 1}`, text }))
  await world.clock.settle()
  await world.clock.advance(60_000)
  expect(client.outbox()).toEqual([])
  return { world, ...count(client) }
}

const from = (client: Client<App> | undefined, children: ReactNode) => (
  <HoldfastProvider client={client}>{children}</HoldfastProvider>
)

function Notes({ query = byId }: { readonly query?: Query<Note> | undefined | false }) {
  const { state, rows } = useLiveQuery(query)
  return <p>{`${state}: ${rows.map(({ id, text }) => `${id} ${text}`).join(', ')}`}</p>
}

/** Lets one turn of the client go by, and React draw it. */
const turn = (world: World, run: () => unknown = () => undefined) =>
  happens(async () => {
    await run()
    await world.clock.settle()
  })

describe('a live query', () => {
  test('is loading, without rows, until storage has been read, and ready from then on', async () => {
    const world = createWorld()
    const earlier = await world.client({ startPaused: true })
    earlier.mutate.put({ id: 'n1', text: 'kept' })
    await world.clock.settle()
    const closing = earlier.close()
    await world.clock.settle()
    await closing
    const host = world.host()
    let read: () => void = () => undefined
    const storageIsRead = new Promise<void>((resolve) => {
      read = resolve
    })
    const client = createClient({
      app: notes,
      url: '/sync',
      session: { actor: '42' },
      startPaused: true,
      host: { ...host, openStorage: async (actor) => storageIsRead.then(() => host.openStorage(actor)) },
    })
    const place = await createPlace()
    await place.show(from(client, <Notes />))
    await settle(world)
    expect(place.text()).toBe('loading: ')
    await turn(world, read)
    expect(place.text()).toBe('ready: n1 kept')
  })

  test('that can be answered is answered in the first render', async () => {
    const { client } = await clientWith('a')
    const seen: string[] = []
    function Watch() {
      const { state, rows, isComplete } = useLiveQuery(byId)
      seen.push(`${state} ${rows.length} ${isComplete}`)
      return null
    }
    const place = await createPlace()
    await place.show(from(client, <Watch />))
    expect(seen).toEqual(['ready 1 true'])
  })

  test('says whether the authority has been heard', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    function Watch() {
      const { state, isComplete } = useLiveQuery(byId)
      return `${state} ${isComplete}`
    }
    const place = await createPlace()
    await place.show(from(client, <Watch />))
    expect(place.text()).toBe('ready false')
    await turn(world, () => client.resume())
    expect(place.text()).toBe('ready true')
  })

  test('shows a call at once, and keeps every row that did not change the same object', async () => {
    const { world, client } = await clientWith('a', 'b')
    const drawn: string[] = []
    const Line = memo(function Line({ note }: { readonly note: Shown<Note> }) {
      drawn.push(note.id)
      return <li>{note.text}</li>
    })
    function List() {
      return useLiveQuery(byId).rows.map((note) => <Line key={note.id} note={note} />)
    }
    const place = await createPlace()
    await place.show(from(client, <List />))
    drawn.length = 0
    await happens(() => {
      client.mutate.edit({ id: 'n2', text: 'changed' })
    })
    expect(place.html()).toBe('<li>a</li><li>changed</li>')
    await settle(world)
    expect(drawn).toContain('n2')
    expect(drawn).not.toContain('n1')
  })

  test('is rendered once for each commit, however many hooks it concerns', async () => {
    const { client } = await clientWith('a')
    let commits = 0
    const counts = () => {
      commits += 1
    }
    function Many() {
      useLiveQuery(byId)
      useLiveQuery(notes.query.notes.where({ id: 'n1' }))
      useRowSync('notes', 'n1')
      return <Notes />
    }
    const place = await createPlace()
    const what = (
      <Profiler id="page" onRender={counts}>
        <Many />
        <Notes query={notes.query.notes.where({ text: { gte: '' } })} />
        <Many />
      </Profiler>
    )
    await place.show(from(client, what))
    commits = 0
    await happens(() => {
      client.mutate.edit({ id: 'n1', text: 'b' })
    })
    expect(place.text()).toBe('ready: n1 b'.repeat(3))
    expect(commits).toBe(1)
  })

  test('is one query, however often and by whom the same is asked', async () => {
    const { client, opened, open, subscribed } = await clientWith('a', 'b')
    const place = await createPlace()
    const what = () => (
      <>
        <Notes query={notes.query.notes.where({ ownerId: '42', count: 0 }).orderBy('text')} />
        <Notes query={notes.query.notes.where({ count: 0 }).where({ ownerId: '42' }).orderBy('text')} />
      </>
    )
    for (let round = 0; round < 5; round++) await place.show(from(client, what()))
    expect([opened(), open(), subscribed()]).toEqual([1, 1, 2])
    await place.show(
      from(client, <Notes query={notes.query.notes.where({ ownerId: '42', count: 0 }).orderBy('text', 'desc')} />),
    )
    expect([opened(), open()]).toEqual([2, 1])
    expect(place.text()).toBe('ready: n2 b, n1 a')
  })

  test('is closed when nobody shows it any more', async () => {
    const { client, opened, open } = await clientWith('a')
    const place = await createPlace()
    const both = (
      <>
        <Notes key="first" />
        <Notes key="second" />
      </>
    )
    await place.show(from(client, both))
    expect(open()).toBe(1)
    await place.show(from(client, <Notes key="second" />))
    expect(open()).toBe(1)
    await place.leave()
    expect([opened(), open()]).toEqual([1, 0])
  })

  test('is neither opened twice nor left open in strict mode', async () => {
    const { world, client, opened, open } = await clientWith('a')
    const place = await createPlace()
    await place.show(<StrictMode>{from(client, <Notes />)}</StrictMode>)
    expect([opened(), open()]).toEqual([1, 1])
    await turn(world, () => void client.mutate.edit({ id: 'n1', text: 'b' }))
    expect(place.text()).toBe('ready: n1 b')
    await place.leave()
    expect([opened(), open()]).toEqual([1, 0])
  })

  test('goes from one screen to the next without being opened again', async () => {
    const { client, opened, open } = await clientWith('a')
    const place = await createPlace()
    await place.show(from(client, <Notes key="one screen" />))
    await place.show(from(client, <Notes key="another" />))
    expect([opened(), open()]).toEqual([1, 1])
  })

  test('is asked of another client at once, and of the first no more', async () => {
    const ann = await clientWith('of ann')
    const bob = await clientWith('of bob')
    const place = await createPlace()
    const seen: string[] = []
    function Watch() {
      seen.push(
        useLiveQuery(byId)
          .rows.map(({ text }) => text)
          .join(),
      )
      return null
    }
    await place.show(from(ann.client, <Watch />))
    await place.show(from(bob.client, <Watch />))
    expect([...new Set(seen)]).toEqual(['of ann', 'of bob'])
    expect([ann.open(), bob.open()]).toEqual([0, 1])
    await place.show(from(undefined, <Watch />))
    expect(seen.at(-1)).toBe('')
    expect(bob.open()).toBe(0)
  })

  test('may be none: nothing is asked, and it is loading', async () => {
    const { client, opened, open } = await clientWith('a')
    const place = await createPlace()
    await place.show(from(client, <Notes query={false} />))
    expect(place.text()).toBe('loading: ')
    expect(opened()).toBe(0)
    await place.show(from(client, <Notes />))
    expect(place.text()).toBe('ready: n1 a')
    await place.show(from(client, <Notes query={false} />))
    expect([place.text(), open()]).toEqual(['loading: ', 0])
  })

  test('that fails reaches the error boundary with its sentence, and the page beside it stays', async () => {
    const { client, open } = await clientWith('a')
    const place = await createPlace()
    const what = (query: Query<Note>) =>
      from(
        client,
        <>
          <Notes />
          <Boundary>
            <Notes query={query} />
          </Boundary>
        </>,
      )
    await place.show(what(byId))
    await place.show(what(wrong))
    expect(place.text()).toMatch(/^ready: n1 a.*laps/)
    expect(open()).toBe(1)
    expect(place.complaints).toEqual([])
  })

  test('never shows two moments on one screen, when rows change in the midst of a render', async () => {
    const { world, client } = await clientWith('a')
    const screens = await screensOf(client, Notes)
    expect(screens).toEqual(['ready: n1 after|ready: n1 after'])
    await settle(world)
  })

  test('is what prevents that: a component that reads past the hooks shows both', async () => {
    const { client } = await clientWith('a')
    function Careless() {
      return <p>{useClient<App>().live(byId).rows[0]?.text}</p>
    }
    expect(await screensOf(client, Careless)).toEqual(['before|after'])
  })
})

describe('a question', () => {
  function Counted({ text }: { readonly text: string | undefined }) {
    const all = useLiveQuery(countOf(notes.query.notes))
    const some = useLiveQuery(text !== undefined && countOf(notes.query.notes.where({ text })))
    return <p>{`${all.state} ${all.value} ${some.state} ${some.value}`}</p>
  }

  test('after a value shows it, without a second query for the same question', async () => {
    const { world, client, opened, open } = await clientWith('a', 'b')
    const place = await createPlace()
    const both = (
      <StrictMode>
        <Counted text="a" />
        <Counted text={undefined} />
      </StrictMode>
    )
    await place.show(from(client, both))
    expect(place.text()).toBe('ready 2 ready 1ready 2 loading undefined')
    expect(opened()).toBe(2)
    await turn(world, () => client.mutate.put({ id: 'n3', text: 'a' }))
    expect(place.text()).toBe('ready 3 ready 2ready 3 loading undefined')
    await place.leave()
    await settle(world)
    expect(open()).toBe(0)
  })

  test('is loading on a server', () => {
    expect(renderToString(from(undefined, <Counted text="a" />))).toBe('<p>loading undefined loading undefined</p>')
  })
})

describe('what the answers stand for', () => {
  test('is told without the lists being drawn again', async () => {
    const { world, client } = await clientWith('a')
    let lists = 0
    const List = memo(() => {
      lists++
      return <Notes />
    })
    const Stale = () => <b>{useQueryInfo(({ stale }) => stale) ?? 'fresh'}</b>
    const place = await createPlace()
    await place.show(
      from(
        client,
        <StrictMode>
          <Stale />
          <List />
        </StrictMode>,
      ),
    )
    expect(place.text()).toBe('freshready: n1 a')
    const before = lists
    await turn(world, () => client.pause())
    expect(place.text()).toBe('pausedready: n1 a')
    expect(lists).toBe(before)
    await place.leave()
  })

  test('is on a server that nothing was heard', () => {
    const Info = () => <p>{JSON.stringify(useQueryInfo())}</p>
    expect(renderToString(from(undefined, <Info />))).toContain('incomplete')
  })
})

/** What is on the screen after each commit of a transition in whose midst, between two components, the rows change. */
async function screensOf(client: Client<App>, Reader: ComponentType): Promise<readonly string[]> {
  const listeners = new Set<() => void>()
  let rows = [{ id: 'n1', text: 'before' }]
  const live = {
    get value() {
      return rows
    },
    get rows() {
      return rows
    },
    isLoaded: true,
    isComplete: true,
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: () => undefined,
  }
  const restless: Client<App> = { ...client, live: () => live as never }
  let isDue = true
  function Meddler() {
    if (isDue) {
      isDue = false
      rows = [{ id: 'n1', text: 'after' }]
      for (const listener of listeners) listener()
    }
    return <b>|</b>
  }
  const screens: string[] = []
  const place = await createPlace()
  const screen = (
    <Profiler id="screen" onRender={() => void screens.push(place.text())}>
      <Reader />
      <Meddler />
      <Reader />
    </Profiler>
  )
  await place.show(from(restless, null))
  await happens(() => startTransition(() => void place.show(from(restless, screen))))
  await place.leave()
  return screens.filter((text) => text !== '')
}

describe('on a server', () => {
  /** A client of which nothing may be asked. */
  const untouchable = new Proxy({} as Client<App>, {
    get(_target, name) {
      if (name === 'mutate') return {}
      throw new Error(`${String(name)} of the client was asked for`)
    },
  })

  function Page() {
    const { state, rows, isComplete } = useLiveQuery(byId)
    const connection = useSyncStatus(({ connection }) => connection)
    const { waiting, storage } = useSyncStatus()
    const said = {
      state,
      rows,
      isComplete,
      connection,
      waiting,
      storage,
      outbox: useOutbox(),
      badge: useRowSync('notes', 'n1'),
      open: usePointer('open'),
    }
    useMutators<App>()
    return JSON.stringify(said).replaceAll('"', '')
  }

  test.each([
    ['with a client, of which nothing is asked,', untouchable],
    ['without a client', undefined],
  ])('every hook %s says what is known before anything is', async (_title, client) => {
    expect(renderToString(from(client, <Page />))).toBe(
      '{state:loading,rows:[],isComplete:false,connection:connecting,waiting:0,outbox:[]}',
    )
  })

  test('the guard of that sees a component that asks', () => {
    function Asks() {
      return useClient<App>().live(byId).rows.length
    }
    expect(() => renderToString(from(untouchable, <Asks />))).toThrow('live of the client was asked for')
  })

  test('what was rendered is taken over without a complaint, and then shows the rows', async () => {
    const { client, opened, open } = await clientWith('a')
    const seen: string[] = []
    function Watch() {
      const { state } = useLiveQuery(byId)
      seen.push(state)
      return <Notes />
    }
    const what = (
      <StrictMode>
        {from(
          client,
          <>
            <Watch />
            <Page />
          </>,
        )}
      </StrictMode>
    )
    const html = renderToString(what)
    expect(html).toContain('<p>loading: </p>')
    expect(opened()).toBe(0)
    seen.length = 0
    const place = await createPlace({ html, what })
    expect(seen[0]).toBe('loading')
    expect(place.html()).toContain('<p>ready: n1 a</p>')
    expect(place.text()).toContain('connection:online')
    expect(place.complaints).toEqual([])
    await place.leave()
    expect(open()).toBe(0)
  })
})

describe('mutators', () => {
  test('are the same object in each render, and a call shows at once', async () => {
    const { world, client } = await clientWith('a')
    const seen = new Set<unknown>()
    let edit: Client<App>['mutate']['edit'] | undefined
    function Editor() {
      const mutators = useMutators<App>()
      seen.add(mutators)
      edit = mutators.edit
      return <Notes />
    }
    const place = await createPlace()
    await place.show(from(client, <Editor />))
    let isSaved = false
    await happens(() => {
      void edit?.({ id: 'n1', text: 'b' }).saved.then(() => {
        isSaved = true
      })
    })
    expect([place.text(), isSaved]).toEqual(['ready: n1 b', false])
    await settle(world)
    expect(isSaved).toBe(true)
    await place.show(from(client, <Editor />))
    expect(seen.size).toBe(1)
  })

  test('of no client can be rendered with, and a call says what is missing', async () => {
    let put: Client<App>['mutate']['put'] | undefined
    function Button() {
      put = useMutators<App>().put
      return null
    }
    const place = await createPlace()
    await place.show(from(undefined, <Button />))
    expect(() => put?.({ id: 'n1', text: 'x' })).toThrow(
      'put was called while the HoldfastProvider has no client (client={undefined})',
    )
  })
})

describe('the status', () => {
  test('follows the client, and a part of it is rendered only when that part is another', async () => {
    const { world, client } = await clientWith('a')
    let drawn = 0
    function Pill() {
      const shown = useSyncStatus(({ connection, waiting }) => ({ connection, waiting }))
      drawn += 1
      return `${shown.connection} ${shown.waiting}`
    }
    const place = await createPlace()
    await place.show(from(client, <Pill />))
    expect(place.text()).toBe('online 0')
    const before = drawn
    const { heardAt } = client.status()
    await happens(() => world.clock.advance(5_000))
    await happens(() => world.sendFrame(world.authority.state.version))
    expect(client.status().heardAt).not.toBe(heardAt)
    expect(drawn).toBe(before)
    world.fallback = () => 'unreachable'
    await turn(world, () => void client.mutate.edit({ id: 'n1', text: 'b' }))
    expect(place.text()).toBe('offline 1')
    await turn(world, () => client.pause())
    expect(place.text()).toBe('paused 1')
  })

  test('is right in the first render, and a part that says the same is the same object in all of them', async () => {
    const { client } = await clientWith('a')
    const seen: object[] = []
    function Pill() {
      seen.push(useSyncStatus(({ connection }) => ({ connection })))
      return null
    }
    const place = await createPlace()
    await place.show(from(client, <Pill />))
    await place.show(from(client, <Pill />))
    expect(seen).toEqual([{ connection: 'online' }, { connection: 'online' }])
    expect(new Set(seen).size).toBe(1)
  })

  test('is right for who looks later, and nobody listens when nobody looks', async () => {
    const { world, client } = await clientWith('a')
    let listening = 0
    const heard: Client<App> = {
      ...client,
      onStatus(listener) {
        listening += 1
        const cancel = client.onStatus(listener)
        return () => {
          listening -= 1
          cancel()
        }
      },
    }
    const Pill = () => useSyncStatus().connection
    const place = await createPlace()
    await place.show(<StrictMode>{from(heard, <Pill />)}</StrictMode>)
    expect(listening).toBe(1)
    await place.show(from(heard, null))
    expect(listening).toBe(0)
    await turn(world, () => client.pause())
    await place.show(from(heard, <Pill />))
    expect(place.text()).toBe('paused')
    await place.leave()
    expect(listening).toBe(0)
  })
})

describe('the outbox', () => {
  test('lists what is not synced with title and badge, each item the same object until it changes', async () => {
    const { world, client } = await clientWith()
    world.fallback = () => 'unreachable'
    let shown: readonly OutboxItem[] = []
    function Center() {
      shown = useOutbox()
      return shown.map(({ id, title, badge }) => <p key={id}>{`${title} ${badge}`}</p>)
    }
    const place = await createPlace()
    await place.show(from(client, <Center />))
    await turn(world, () => void client.mutate.put({ id: 'n1', text: 'a' }))
    const [first] = shown
    await turn(world, () => void client.mutate.put({ id: 'n2', text: 'b' }))
    expect(place.html()).toBe('<p>Note: a queued</p><p>Note: b queued</p>')
    expect(shown[0]).toBe(first)
    const [, second] = shown
    await turn(world, () => void client.discard(first?.id ?? ''))
    expect(shown.at(-1)).toBe(second)
    world.fallback = () => 'pass'
    await happens(() => world.clock.advance(120_000))
    expect(place.html()).toBe('')
  })
})

describe('a pointer', () => {
  test('is shown as soon as it is set, by its name, and not before storage is loaded', async () => {
    const { world, client } = await clientWith('a')
    function Open({ name }: { readonly name: string }) {
      return usePointer(name) ?? 'nowhere'
    }
    const place = await createPlace()
    await place.show(from(client, <Open name="note" />))
    expect(place.text()).toBe('nowhere')
    await turn(world, () => void pointersOf(client).set('note', 'n1'))
    expect(place.text()).toBe('n1')
    await place.show(from(client, <Open name="other" />))
    expect(place.text()).toBe('nowhere')
    await place.show(from(undefined, <Open name="note" />))
    expect(place.text()).toBe('nowhere')
  })
})

describe('the badge of one row', () => {
  test('goes from queued to synced, is absent with its row, and is not rendered for other columns', async () => {
    const { world, client, open } = await clientWith('a')
    const seen: (SyncInfo | undefined)[] = []
    function Badge({ id }: { readonly id: string }) {
      const sync = useRowSync('notes', id)
      seen.push(sync)
      return sync?.state ?? 'absent'
    }
    const place = await createPlace()
    await place.show(from(client, <Badge id="n2" />))
    expect(place.text()).toBe('absent')
    world.fallback = () => 'unreachable'
    await turn(world, () => void client.mutate.put({ id: 'n2', text: 'b' }))
    expect(place.text()).toBe('queued')
    world.fallback = () => 'pass'
    await happens(() => world.clock.advance(60_000))
    expect(place.text()).toBe('synced')
    const drawn = seen.length
    world.authority.write('n2', 'from elsewhere')
    await happens(() => world.sendFrame(world.authority.state.version - 1))
    expect(client.inspect().replica.get('notes', 'n2')).toMatchObject({ text: 'from elsewhere' })
    expect(seen.length).toBe(drawn)
    await place.show(from(client, <Badge id="n1" />))
    expect([place.text(), open()]).toEqual(['synced', 1])
  })
})

describe('outside of a provider', () => {
  test.each([
    ['useClient', () => useClient()],
    ['useLiveQuery', () => useLiveQuery(byId)],
    ['useMutators', () => useMutators()],
    ['useSyncStatus', () => useSyncStatus()],
    ['useOutbox', () => useOutbox()],
    ['usePointer', () => usePointer('open')],
    ['useQueryInfo', () => useQueryInfo()],
    ['useRowSync', () => useRowSync('notes', 'n1')],
  ])('%s says by its name what is missing', async (name, useHook) => {
    function Lost() {
      useHook()
      return null
    }
    const place = await createPlace()
    await place.show(
      <Boundary>
        <Lost />
      </Boundary>,
    )
    expect(place.text()).toMatch(new RegExp(`^${name} was called outside of a HoldfastProvider: put <HoldfastProvider`))
  })

  test('and in one without a client, useClient says so', async () => {
    function Lost() {
      useClient()
      return null
    }
    const place = await createPlace()
    const what = (
      <Boundary>
        <Lost />
      </Boundary>
    )
    await place.show(from(undefined, what))
    expect(place.text()).toMatch(/^useClient was called while the HoldfastProvider has no client/)
  })
})

test('the hooks of one app are given its queries, and work beside the plain ones', async () => {
  const { client } = await clientWith('a', 'b')
  const app = createHooks(notes)
  function Page({ id }: { readonly id: string }) {
    const { rows } = app.useLiveQuery((query) => query.notes.where({ id }))
    return `${rows[0]?.text} ${app.useRowSync('notes', id)?.state} ${app.useClient() === useClient()};`
  }
  const place = await createPlace()
  const what = (
    <app.HoldfastProvider client={client}>
      <Page id="n1" />
      <Page id="n2" />
    </app.HoldfastProvider>
  )
  await place.show(what)
  expect(place.text()).toBe('a synced true;b synced true;')
})
