// One call of a mutator from the person's side: it shows, it is kept or refused, it is decided; and whatever the app does meanwhile
// (changes its arguments, gives an id twice, calls too early, throws in a listener) neither loses it nor ends the process.
import { SyncError } from 'holdfast'
import type { Client } from 'holdfast/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LIMITS } from '../../src/protocol/limits.ts'
import { createWorld, type Notes, uuid } from './world.ts'

const unheard: unknown[] = []
const listen = (error: unknown) => void unheard.push(error)
beforeAll(() => void process.on('unhandledRejection', listen))
afterAll(async () => {
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listen)
  expect(unheard, 'no promise of a call is ever an unhandled rejection').toEqual([])
})

const texts = (client: Client<Notes>): readonly string[] =>
  [...client.inspect().replica.rows('notes')].map((row) => `${row.id}:${row['text']}`).sort()

const refusalOf = async (handle: { readonly saved: Promise<void> }): Promise<SyncError> => {
  const error = await handle.saved.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(SyncError)
  return error as SyncError
}

describe('a call', () => {
  test('[I1] shows at once, is saved when the disk says so, is sent only then, and is decided by the authority', async () => {
    const world = createWorld()
    const client = await world.client()
    let letGo = (): void => undefined
    world.disk.beforeWrite = (verb) =>
      verb === 'append' ? new Promise<void>((resolve) => (letGo = resolve)) : undefined
    const handle = client.mutate.put({ id: 'n1', text: 'hello' })
    let isSaved = false
    void handle.saved.then(() => (isSaved = true))
    await world.clock.advance(60_000)
    expect(texts(client)).toEqual(['n1:hello'])
    expect(isSaved).toBe(false)
    expect(client.outbox()).toMatchObject([
      { id: handle.id, badge: 'saving', sequence: undefined, title: 'Note: hello' },
    ])
    expect(world.bodies('push')).toEqual([])
    letGo()
    await world.clock.settle()
    expect(isSaved).toBe(true)
    expect(await handle.decided).toEqual({ status: 'applied', repeated: false })
  })

  test('is not changed by what the app does to its arguments afterwards', async () => {
    const world = createWorld()
    const client = await world.client()
    const args = { id: 'n1', text: 'as called' }
    const _handle = client.mutate.put(args)
    args.text = 'changed'
    await world.clock.settle()
    expect(world.bodies('push')[0]?.intents[0]?.args).toEqual({ id: 'n1', text: 'as called' })
    expect(texts(client)).toEqual(['n1:as called'])
  })

  test('with an id that was given before makes nothing new and gives the first one’s handle', async () => {
    const world = createWorld()
    const client = await world.client()
    const first = client.mutate.put({ id: 'n1', text: 'a' }, { id: uuid(1) })
    const second = client.mutate.put({ id: 'n1', text: 'a' }, { id: uuid(1) })
    expect(second).toBe(first)
    await world.clock.settle()
    const third = client.mutate.put({ id: 'n1', text: 'a' }, { id: uuid(1) })
    await third.saved
    expect(await third.decided).toEqual({ status: 'applied', repeated: false })
    expect(client.inspect().entries).toHaveLength(1)
    expect(world.authority.runs.get(uuid(1))).toBe(1)
  })

  test('with an id known from an earlier start gives the outcome of then', async () => {
    const world = createWorld()
    const first = await world.client()
    first.mutate.put({ id: 'n1', text: 'a' }, { id: uuid(1) })
    await world.clock.settle()
    await first.close()
    const again = await world.client()
    const handle = again.mutate.put({ id: 'n1', text: 'a' }, { id: uuid(1) })
    await handle.saved
    expect(await handle.decided).toEqual({ status: 'applied', repeated: false })
    expect(again.inspect().entries).toHaveLength(1)
  })

  test('with an id that is none is a mistake of the app and says so', async () => {
    const client = await createWorld().client()
    expect(() => client.mutate.put({ id: 'n1', text: 'a' }, { id: 'my-id' })).toThrow(/must be a UUID in lower case/)
  })

  test('before storage is loaded is kept in the order of the calls', async () => {
    const world = createWorld()
    const { createClient } = await import('holdfast/client')
    const { notes } = await import('./world.ts')
    const client = createClient({ app: notes, host: world.host(), url: 'x', session: { actor: '42' } })
    const handles = [
      client.mutate.put({ id: 'n1', text: 'a' }),
      client.mutate.edit({ id: 'n1', text: 'b' }),
      client.mutate.bump({ id: 'n1' }),
    ]
    let isQuiet = false
    void client.quiet().then(() => (isQuiet = true))
    await client.ready
    await world.clock.settle()
    await Promise.all(handles.map(({ saved }) => saved))
    expect(client.inspect().entries.map(({ intent }) => intent.name)).toEqual(['put', 'edit', 'bump'])
    await world.sendFrame(0)
    expect(texts(client)).toEqual(['n1:b'])
    expect(isQuiet).toBe(true)
  })

  test('as a burst in one turn costs one write, and every one of them is decided', async () => {
    const world = createWorld()
    const client = await world.client()
    world.disk.writes = []
    const handles = Array.from({ length: 500 }, (_, index) => client.mutate.put({ id: `n${index}`, text: 'x' }))
    await world.clock.settle()
    expect(world.disk.writes.filter((verb) => verb === 'append')).toHaveLength(1)
    expect((await Promise.all(handles.map(({ decided }) => decided))).every(({ status }) => status === 'applied')).toBe(
      true,
    )
    expect(world.bodies('push').map(({ intents }) => intents.length)).toEqual([500])
  })
})

describe('a call that is refused', () => {
  const cases = [
    [
      'by the mutator',
      (client: Client<Notes>) => client.mutate.bump({ id: 'nothing' }),
      'refused',
      'no_note',
      'no_note',
    ],
    [
      'by the rules of the transaction',
      (client: Client<Notes>) => client.mutate.edit({ id: 'nothing', text: 'x' }),
      'refused',
      'row_gone',
      'row_gone',
    ],
    [
      'by its schema',
      (client: Client<Notes>) => client.mutate.put({ id: 'n1' } as never),
      'arguments_invalid',
      undefined,
      'arguments_invalid',
    ],
    [
      'as no JSON',
      (client: Client<Notes>) => client.mutate.put({ id: 'n1', text: new Date(0) } as never),
      'arguments_invalid',
      undefined,
      'arguments_invalid',
    ],
    [
      'as too large',
      (client: Client<Notes>) => client.mutate.put({ id: 'n1', text: 'é'.repeat(LIMITS.argsBytes / 2) }),
      'too_large',
      undefined,
      'too_large',
    ],
    [
      'because the mutator threw',
      (client: Client<Notes>) => client.mutate.throws({}),
      'mutator_threw',
      undefined,
      'mutator_threw',
    ],
    [
      'because the mutator waited for something else',
      (client: Client<Notes>) => client.mutate.waits({}),
      'mutator_waited',
      undefined,
      'mutator_waited',
    ],
  ] as const
  test.each(cases)(
    '%s is kept nowhere, told at once, and shows nothing',
    async (_what, call, code, detail, decision) => {
      const world = createWorld()
      const client = await world.client()
      await world.sendFrame(0)
      world.disk.writes = []
      const handle = call(client)
      await world.clock.settle()
      const error = await refusalOf(handle)
      expect(error.code).toBe(code)
      if (detail !== undefined) expect(error.details).toMatchObject({ code: detail })
      expect(await handle.decided).toMatchObject({ status: 'refused', code: decision })
      expect(texts(client)).toEqual([])
      expect(client.outbox()).toEqual([])
      expect(world.disk.writes).toEqual([])
      expect(world.bodies('push')).toEqual([])
      expect(client.status()).toMatchObject({ waiting: 0, connection: 'online' })
      // The next one is not held up.
      const next = client.mutate.put({ id: 'n2', text: 'x' })
      await world.clock.settle()
      expect(await next.decided).toMatchObject({ status: 'applied' })
    },
  )

  test('leaves its id free, so that the person may try again with it', async () => {
    const world = createWorld()
    const client = await world.client()
    const first = client.mutate.put({ id: 'n1' } as never, { id: uuid(1) })
    await refusalOf(first)
    const second = client.mutate.put({ id: 'n1', text: 'x' }, { id: uuid(1) })
    expect(second).not.toBe(first)
    await world.clock.settle()
    expect(await second.decided).toMatchObject({ status: 'applied' })
  })

  test('because the app declares no such mutator says which', async () => {
    const client = await createWorld().client()
    const mutate = client.mutate as unknown as Record<string, ((args: unknown) => { saved: Promise<void> }) | undefined>
    expect(mutate['nothing']).toBeUndefined()
    expect(Object.isFrozen(client.mutate)).toBe(true)
  })

  test('[I4] by the disk disappears from the screen with what was built on it shown anew, and says that it was not kept', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    client.mutate.put({ id: 'n0', text: 'kept' })
    await world.clock.settle()
    let refuses = true
    world.disk.beforeWrite = (verb) => {
      if (verb === 'append' && refuses) throw new Error('ENOSPC')
    }
    const handles = [client.mutate.put({ id: 'n1', text: 'x' }), client.mutate.edit({ id: 'n0', text: 'edited' })]
    await world.clock.settle()
    for (const handle of handles) {
      const error = await refusalOf(handle)
      expect(error).toMatchObject({ code: 'storage_failed', phase: 'persist' })
      expect(await handle.decided).toMatchObject({ status: 'refused', code: 'storage_failed' })
    }
    expect(texts(client)).toEqual(['n0:kept'])
    refuses = false
    const next = client.mutate.put({ id: 'n2', text: 'y' })
    await world.clock.settle()
    await next.saved
    expect(client.inspect().entries.map(({ sequence }) => sequence)).toEqual([1, 2])
  })
})

describe('where storage is not durable', () => {
  test('[I15] a call is refused unless the app accepts that, and then its badge says unsaved', async () => {
    const world = createWorld()
    world.disk.isDurable = false
    world.disk.mode = 'memory'
    const client = await world.client({ startPaused: true })
    expect((await refusalOf(client.mutate.put({ id: 'n1', text: 'x' }))).code).toBe('not_durable')
    const accepted = client.mutate.put({ id: 'n1', text: 'x' }, { accept: true })
    await world.clock.settle()
    expect(client.outbox()).toMatchObject([{ id: accepted.id, badge: 'unsaved' }])
    expect(client.status()).toMatchObject({ storage: { mode: 'memory', isDurable: false }, counts: { unsaved: 1 } })
  })

  test('an app may accept it for all calls', async () => {
    const world = createWorld()
    world.disk.isDurable = false
    const client = await world.client({ whenNotDurable: 'accept' })
    const handle = client.mutate.put({ id: 'n1', text: 'x' })
    await world.clock.settle()
    expect(await handle.decided).toMatchObject({ status: 'applied' })
  })
})

describe('giving up', () => {
  test('[I4] an intent that was not sent is withdrawn in its place; nothing of it shows and nothing of it runs', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    client.mutate.put({ id: 'n1', text: 'x' })
    const second = client.mutate.put({ id: 'n2', text: 'y' })
    await world.clock.settle()
    const decision = client.discard(second.id)
    await world.clock.settle()
    expect(texts(client)).toEqual(['n1:x'])
    client.resume()
    await world.clock.settle()
    expect(await decision).toMatchObject({ status: 'withdrawn', code: 'discarded' })
    expect(await second.decided).toMatchObject({ status: 'withdrawn' })
    expect(world.bodies('push')[0]?.intents[1]).toEqual({ sequence: 2, id: second.id, withdraw: 'discarded' })
    await world.sendFrame(0)
    expect(client.outbox()).toEqual([])
    expect(world.authority.state.log.has('n2')).toBe(false)
  })

  test('[I3] an intent that the authority had decided already gives its outcome instead', async () => {
    const world = createWorld()
    const client = await world.client()
    world.fates.push.push('lost')
    const handle = client.mutate.put({ id: 'n1', text: 'x' })
    await world.clock.settle()
    const decision = client.discard(handle.id)
    await world.clock.advance(5_000)
    expect(await decision).toEqual({ status: 'applied', repeated: true })
    await world.sendFrame(0)
    expect(texts(client)).toEqual(['n1:x'])
  })

  test('an intent that is decided gives its outcome and stays on the screen', async () => {
    const world = createWorld()
    const client = await world.client()
    const handle = client.mutate.put({ id: 'n1', text: 'x' })
    await world.clock.settle()
    expect(client.outbox()).toMatchObject([{ badge: 'sending' }])
    expect(await client.discard(handle.id)).toEqual({ status: 'applied', repeated: false })
    await world.clock.settle()
    expect(texts(client)).toEqual(['n1:x'])
    await world.sendFrame(0)
    expect(texts(client)).toEqual(['n1:x'])
  })

  test('[I4] one that was rejected leaves the list when the person has seen it, after a new start too; its outcome stays', async () => {
    const world = createWorld()
    world.authority.decideAs = () => ({ status: 'rejected', code: 'no', details: {} })
    const client = await world.client()
    const handle = client.mutate.put({ id: 'n1', text: 'x' })
    await world.clock.settle()
    await world.sendFrame(0)
    expect(client.outbox()).toMatchObject([{ badge: 'failed', outcome: { status: 'rejected' } }])
    expect(await client.discard(handle.id)).toMatchObject({ status: 'rejected', code: 'no' })
    await world.clock.settle()
    expect(client.outbox()).toEqual([])
    await client.close()
    const again = await world.client()
    expect(again.outbox()).toEqual([])
    expect(await again.discard(handle.id)).toMatchObject({ status: 'rejected', code: 'no' })
    expect(world.authority.runs.size).toBe(1)
  })

  test('an intent in the turn in which it was called gives up that very intent', async () => {
    const world = createWorld()
    const client = await world.client()
    const handle = client.mutate.put({ id: 'n1', text: 'x' })
    const decision = client.discard(handle.id)
    await world.clock.settle()
    expect(await decision).toMatchObject({ status: 'withdrawn' })
    expect(texts(client)).toEqual([])
    expect(world.authority.state.log.has('n1')).toBe(false)
  })

  test('an intent that is not there is refused', async () => {
    const client = await createWorld().client()
    await expect(client.discard(uuid(9))).rejects.toThrow(/holds no intent/)
    await expect(client.discard('x')).rejects.toThrow(/must be a UUID/)
  })
})

describe('the client', () => {
  test('pauses and resumes before storage is loaded as after', async () => {
    const { createClient } = await import('holdfast/client')
    const { notes } = await import('./world.ts')
    const paused = createWorld()
    const first = createClient({ app: notes, host: paused.host(), url: 'x', session: { actor: '42' } })
    first.pause()
    await first.ready
    await paused.clock.settle()
    expect(paused.requests).toEqual([])
    expect(first.status().connection).toBe('paused')
    const resumed = createWorld()
    const second = createClient({
      app: notes,
      host: resumed.host(),
      url: 'x',
      session: { actor: '42' },
      startPaused: true,
    })
    second.resume()
    await second.ready
    await resumed.clock.settle()
    expect(resumed.paths()).toContain('pull')
  })

  test('[I8] that is closed stays closed: no request, no write, and calls are refused', async () => {
    const world = createWorld()
    const client = await world.client()
    await client.close()
    await client.close()
    const asked = world.requests.length
    client.resume()
    client.pause()
    client.resume()
    await world.clock.advance(600_000)
    expect(world.requests).toHaveLength(asked)
    expect(world.stream().isCancelled).toBe(true)
    expect((await refusalOf(client.mutate.put({ id: 'n1', text: 'x' }))).code).toBe('client_closed')
    expect(client.status().connection).toBe('paused')
    expect(world.disk.memory.isOpen).toBe(false)
  })

  test('[I4] keeps what was called in the turn in which it is closed, or says that it did not', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    const handle = client.mutate.put({ id: 'n1', text: 'x' })
    const closed = client.close()
    await world.clock.settle()
    await closed
    const saved = await handle.saved.then(
      () => true,
      () => false,
    )
    expect(saved).toBe(true)
    const again = await world.client({ startPaused: true })
    expect(texts(again)).toEqual(['n1:x'])
  })

  test('whose storage cannot be opened says so, refuses its calls and does not end the process', async () => {
    const world = createWorld()
    const { createClient } = await import('holdfast/client')
    const { notes } = await import('./world.ts')
    const host = {
      ...world.host(),
      openStorage: () => Promise.reject(new SyncError('storage_in_use', 'The folder is open')),
    }
    const client = createClient({ app: notes, host, url: 'x', session: { actor: '42' } })
    const handle = client.mutate.put({ id: 'n1', text: 'x' })
    await expect(client.ready).rejects.toMatchObject({ code: 'storage_in_use' })
    expect((await refusalOf(handle)).code).toBe('storage_in_use')
    expect((await refusalOf(client.mutate.put({ id: 'n1', text: 'x' }))).code).toBe('storage_in_use')
    client.pause()
    client.resume()
    await client.close()
  })

  test('[I14] tells its status after the turn in which it changed, once, and survives a listener that throws', async () => {
    const world = createWorld()
    const client = await world.client({ startPaused: true })
    const heard: number[] = []
    client.onStatus(() => {
      throw new Error('a listener of the app')
    })
    const cancel = client.onStatus(({ waiting }) => heard.push(waiting))
    for (let index = 0; index < 10; index++) client.mutate.put({ id: `n${index}`, text: 'x' })
    await world.clock.settle()
    expect(heard.at(-1)).toBe(10)
    expect(heard.length).toBeLessThan(5)
    expect(world.reports.map(String)).toContain('Error: a listener of the app')
    cancel()
    client.mutate.put({ id: 'n10', text: 'x' })
    await world.clock.settle()
    expect(heard.at(-1)).toBe(10)
  })

  test('a listener of a query that throws holds up neither the disk nor the queue', async () => {
    const world = createWorld()
    const client = await world.client()
    const live = client.live((await import('./world.ts')).notes.query.notes)
    live.subscribe(() => {
      throw new Error('a listener of the app')
    })
    const handles = Array.from({ length: 5 }, (_, index) => client.mutate.put({ id: `n${index}`, text: 'x' }))
    await world.clock.settle()
    for (const { decided } of handles) expect(await decided).toMatchObject({ status: 'applied' })
    await world.sendFrame(0)
    expect(client.status()).toMatchObject({ connection: 'online', waiting: 0 })
    expect(world.reports.length).toBeGreaterThan(0)
  })

  test('is quiet at once when it has nothing to wait for, and only after the effects are here when it has', async () => {
    const world = createWorld()
    const client = await world.client()
    await client.quiet()
    client.mutate.put({ id: 'n1', text: 'x' })
    let isQuiet = false
    void client.quiet().then(() => (isQuiet = true))
    await world.clock.settle()
    expect(isQuiet).toBe(false)
    await world.sendFrame(0)
    expect(isQuiet).toBe(true)
  })
})
