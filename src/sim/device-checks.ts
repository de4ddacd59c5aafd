// Devices, looked into after each step in which something happened to one: its confirmed rows are exactly what its scopes held where
// its cursors stand (I6), with the effects of every intent that it takes for decided (I10), what it shows equals a full replay (I5),
// its numbers and intents go together with what the ledger has (I18), and no badge says more than disk and ledger do (I15).
import type { Client } from '../client/index.ts'
import { badgeOf } from '../client/status.ts'
import type { Row } from '../schema/table.ts'
import type { SimApp } from './app.ts'
import { firstDifference } from './archive.ts'
import type { Calls } from './calls.ts'
import type { Checks } from './checks.ts'
import type { Device } from './device.ts'
import type { History } from './history.ts'
import { replay } from './replay.ts'
import { SYNCED, textOf } from './rows.ts'
import { hasLeft } from './sessions.ts'
import type { Truth } from './truth.ts'

/** What the checks of devices need. */
export interface DeviceCheckParts {
  readonly truth: Truth
  readonly checks: Checks
  readonly calls: Calls
  readonly history: History
  readonly now: () => number
}

/** The checks of devices. */
export interface DeviceChecks {
  /** A client was opened or took a frame, and is looked into after this step; of other changes one in four is enough. */
  touched(device: Device, isFrame: boolean): void
  /** Whether any device was touched and is not looked into yet. */
  isDue(): boolean
  /** Looks into all that were touched. To be awaited before the world goes on. */
  afterStep(): Promise<void>
}

/** Makes the checks. */
export function createDeviceChecks({ truth, checks, calls, history, now }: DeviceCheckParts): DeviceChecks {
  const { check } = checks
  const touched = new Set<Device>()
  let changes = 0

  const checkConfirmed = (name: string, { replica, cursors }: Inspected): void => {
    const expected = new Map<string, string>()
    for (const cursor of cursors) {
      const rows = truth.archive.at(cursor.scope, cursor)
      check(
        'I6',
        rows !== undefined,
        () => `${name} stands at ${cursor.scope} ${cursor.version} ${cursor.mark}, which never was`,
      )
      for (const [key, text] of rows ?? []) expected.set(key, text)
    }
    const actual = new Map<string, string>()
    for (const table of SYNCED)
      for (const [id, row] of replica.confirmedRows(table)) actual.set(`${table}/${id}`, textOf(table, row))
    const differs = firstDifference(expected, actual)
    check(
      'I6',
      differs === undefined,
      () =>
        `${name} has ${differs} confirmed as ${actual.get(differs ?? '')}, and it was ${expected.get(differs ?? '')} where its cursors stand`,
    )
  }

  const checkEffects = (name: string, { client, decided, cursors, replica }: Inspected): void => {
    // Until a device has heard that the authority went back, its cursors are of a history in which other versions counted.
    if (replica.client !== client || !cursors.every((cursor) => truth.isCurrent(cursor.scope, cursor))) return
    for (const { sequence, versions } of truth.book.effects.get(client) ?? []) {
      if (sequence > decided) break
      for (const { scope, version } of cursors) {
        const needed = versions.get(scope)
        if (needed !== undefined)
          check(
            'I10',
            version >= needed,
            () =>
              `${name} takes ${sequence} for decided at version ${version} of ${scope}, its effects came with version ${needed}`,
          )
      }
    }
  }

  const checkShown = async (device: Device, { replica, entries, isComplete }: Inspected): Promise<void> => {
    const pending = entries.flatMap(({ intent, isRetired, givenUp }) =>
      isRetired || givenUp !== undefined
        ? []
        : [
            {
              id: intent.id,
              root: intent.root ?? intent.id,
              actor: device.actor,
              name: intent.name,
              version: intent.version,
              args: intent.args,
              madeAt: intent.madeAt,
            },
          ],
    )
    const ids = replica.pending()
    check(
      'I5',
      ids.join() === pending.map(({ id }) => id).join(),
      () =>
        `${device.name} shows the intents ${ids.join(', ')}; pending in its outbox are ${pending.map(({ id }) => id).join(', ')}`,
    )
    const expected = await replay(replica.confirmedRows, pending, isComplete, device.app)
    for (const table of SYNCED) {
      const rows = expected.get(table) ?? new Map<string, Row>()
      let count = 0
      for (const row of replica.rows(table)) {
        count++
        const wanted = rows.get(row.id)
        check(
          'I5',
          wanted !== undefined && textOf(table, wanted) === textOf(table, row),
          () =>
            `${device.name} shows ${table} ${JSON.stringify(row)}, a full replay of ${pending.length} gives ${JSON.stringify(wanted)}`,
        )
      }
      check(
        'I5',
        count === rows.size,
        () => `${device.name} shows ${count} rows of ${table}, a full replay gives ${rows.size}`,
      )
    }
  }

  const noteSealed = ({ client, replica, entries }: Inspected): void => {
    if (replica.client !== client) return
    for (const { intent, isRetired } of entries) {
      const call = isRetired ? calls.get(intent.id) : undefined
      if (call !== undefined) call.sealedAt ??= now()
    }
  }

  const checkNumbers = (name: string, { client, entries, rebirths }: Inspected): void => {
    // A new birth costs every number; only another copy of the store, or a history that went back, is a reason for one.
    const { cloned, diskSetBack, authoritySetBack } = history.counts
    check(
      'I18',
      rebirths === 0 || cloned + diskSetBack + authoritySetBack > 0,
      () => `${name} was born again as ${client} without a reason`,
    )
    const numbers = entries.flatMap(({ sequence }) => sequence ?? [])
    check(
      'I18',
      numbers.every((number, index) => index === 0 || number === Number(numbers[index - 1]) + 1),
      () => `${name} has the numbers ${numbers.join(', ')} as ${client}`,
    )
  }

  const checkBadges = ({ name, actor, safe }: Device, { entries }: Inspected): void => {
    for (const entry of entries) {
      const { intent, outcome, givenUp } = entry
      const badge = badgeOf(entry, true)
      check(
        'I15',
        badge === 'saving' || safe.has(intent.id),
        () => `${name} says ${badge} of ${intent.id}, which is not safe on its disk`,
      )
      const isKnown = outcome !== undefined && truth.outcomesOf(actor, intent.id).size > 0
      check(
        'I15',
        isKnown || badge === 'saving' || badge === 'queued' || badge === 'sending' || givenUp !== undefined,
        () => `${name} says ${badge} of ${intent.id}, of which the authority has said nothing`,
      )
    }
  }

  return {
    touched(device, isFrame) {
      if (isFrame || changes++ % 4 === 0) touched.add(device)
    },
    isDue: () => touched.size > 0,
    async afterStep() {
      for (const device of touched) {
        const { client, name } = device
        if (client === undefined) continue
        // Who has left shows nothing, whatever is in the outbox.
        if (hasLeft(device)) {
          touched.delete(device)
          continue
        }
        const seen = inspect(client)
        if (seen === undefined || seen.replica.isRunning()) continue
        touched.delete(device)
        checkConfirmed(name, seen)
        checkEffects(name, seen)
        checkNumbers(name, seen)
        checkBadges(device, seen)
        noteSealed(seen)
        await checkShown(device, seen)
      }
    },
  }
}

type Inspected = ReturnType<Client<SimApp>['inspect']>

/** What a client has within; undefined while it starts. */
export function inspect(client: Client<SimApp>): Inspected | undefined {
  try {
    return client.inspect()
  } catch {
    return undefined
  }
}
