// The judge of the kill loop can say no: for each thing that it looks for, a planted history in which it must find it. Also the
// judge reading a real file, so that its SQL is tried without a loop.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { type History, judge, readHistory } from '../../scripts/crash/judge.ts'

/** Six notes of one device in two lists, as they must be: two lives of three notes. */
function soundHistory(): History {
  const notes = [1, 2, 3, 1_001, 1_002, 1_003].map((number, index) => ({
    id: `n${number}`,
    listId: index < 3 ? 'l1' : 'l2',
    position: (index % 3) + 1,
    device: 'phone',
    number,
  }))
  const lists = [{ id: 'l1' }, { id: 'l2' }]
  const totals = lists.map(({ id }) => ({ id, notes: 3 }))
  return {
    integrity: 'ok',
    notes,
    lists,
    totals,
    clients: [{ client: 'c1', decided: 8, pruned: 0 }],
    ledger: Array.from({ length: 8 }, (_, index) => ({
      client: 'c1',
      sequence: index + 1,
      intentId: `i${index}`,
      status: 'applied',
    })),
    logged: [
      ...notes.map(({ id }) => `notes ${id}`),
      ...lists.map(({ id }) => `lists ${id}`),
      ...totals.map(({ id }) => `listTotals ${id}`),
    ],
    scopes: [{ scope: 'user:runner', version: 4, commits: 4 }],
  }
}

const acknowledged = new Map([['phone', [1, 2, 3, 1_001, 1_002]]])
const sound = soundHistory()
const planted = (change: Partial<History>) => judge({ ...sound, ...change }, acknowledged)
const without = (number: number) => sound.notes.filter((note) => note.number !== number)

describe('the judge of the kill loop', () => {
  test('lets a sound history pass, with a note that was kept but never acknowledged', () => {
    expect(planted({})).toEqual({ acknowledged: 5, lost: 0, doubled: 0, outOfOrder: 0, problems: [] })
  })

  test('[I4] counts an acknowledged note that is missing as lost', () => {
    expect(planted({ notes: without(2) }).lost).toBe(1)
  })

  test('does not count a note as lost that nobody had acknowledged', () => {
    expect(planted({ notes: without(1_003) }).lost).toBe(0)
  })

  test('[I3] counts a second row of one number as doubled, whatever its id', () => {
    const twice = { id: 'other', listId: 'l2', position: 4, device: 'phone', number: 1_003 }
    expect(planted({ notes: [...sound.notes, twice] }).doubled).toBe(1)
  })

  test('[I2] counts notes that stand in another order than they were made in', () => {
    const position = new Map([
      [1, 2],
      [2, 1],
    ])
    const swapped = sound.notes.map((note) => ({ ...note, position: position.get(note.number) ?? note.position }))
    expect(planted({ notes: swapped }).outOfOrder).toBeGreaterThan(0)
  })

  test.each([
    ['shared by two notes', 2],
    ['left out', 7],
    ['missing', null],
  ])('[I11] counts a position that is %s', (_title, position) => {
    const notes = sound.notes.map((note) => (note.number === 3 ? { ...note, position } : note))
    expect(planted({ notes }).outOfOrder).toBeGreaterThan(0)
  })

  test.each<[string, Partial<History>, RegExp]>([
    ['a hole in the ledger', { ledger: sound.ledger.filter(({ sequence }) => sequence !== 4) }, /without holes/],
    [
      'a number above the last decided one',
      { clients: [{ client: 'c1', decided: 7, pruned: 0 }] },
      /is not 1 to 7 without holes/,
    ],
    [
      'an intent with two rows',
      { ledger: sound.ledger.map((row) => (row.sequence === 5 ? { ...row, intentId: 'i0' } : row)) },
      /two rows in the ledger/,
    ],
    [
      'a rejected intent',
      { ledger: sound.ledger.map((row) => (row.sequence === 5 ? { ...row, status: 'rejected' } : row)) },
      /1 intents are rejected/,
    ],
    [
      'an effect without a ledger row',
      { notes: [...sound.notes, { id: 'x', listId: 'l2', position: 4, device: 'phone', number: 9_000 }] },
      /applied, but there are/,
    ],
    ['a client that nobody knows', { clients: [] }, /unknown clients/],
    [
      'a device that was born again',
      { clients: [...sound.clients, { client: 'c2', decided: 0, pruned: 0 }] },
      /1 devices became 2 clients/,
    ],
    ['a row outside the change log', { logged: sound.logged.slice(1) }, /not in the change log/],
    ['a logged row that is not there', { logged: [...sound.logged, 'notes ghost'] }, /rows that are not there/],
    [
      'an aggregate that went its own way',
      {
        totals: [
          { id: 'l1', notes: 3 },
          { id: 'l2', notes: 2 },
        ],
      },
      /not what their rows come to/,
    ],
    [
      'a version without its commit',
      { scopes: [{ scope: 'user:runner', version: 5, commits: 4 }] },
      /version 5 after 4 commits/,
    ],
    ['a damaged file', { integrity: 'row 7 missing from index' }, /row 7 missing/],
    [
      'a device from nowhere',
      { notes: sound.notes.map((note) => ({ ...note, device: 'thief' })) },
      /devices that made none/,
    ],
  ])('names %s', (_title, change, expected) => {
    expect(planted(change).problems.join('; ')).toMatch(expected)
  })

  test('reads a history from a database by SQL alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-judge-'))
    const path = join(folder, 'authority.db')
    const db = new DatabaseSync(path)
    db.exec(`
      CREATE TABLE notes (id TEXT PRIMARY KEY, listId TEXT, position INTEGER, device TEXT, number INTEGER);
      CREATE TABLE lists (id TEXT PRIMARY KEY);
      CREATE TABLE listTotals (id TEXT PRIMARY KEY, notes INTEGER);
      CREATE TABLE holdfast_client (client TEXT, decided INTEGER, pruned INTEGER);
      CREATE TABLE holdfast_ledger (client TEXT, sequence INTEGER, intent_id TEXT, status TEXT);
      CREATE TABLE holdfast_log (tbl TEXT, id TEXT, gone INTEGER);
      CREATE TABLE holdfast_scope (scope TEXT, version INTEGER);
      CREATE TABLE holdfast_commit (scope TEXT, version INTEGER);
      INSERT INTO lists VALUES ('l1');
      INSERT INTO notes VALUES ('n1', 'l1', 1, 'phone', 1);
      INSERT INTO listTotals VALUES ('l1', 1);
      INSERT INTO holdfast_client VALUES ('c1', 2, 0);
      INSERT INTO holdfast_ledger VALUES ('c1', 1, 'i1', 'applied'), ('c1', 2, 'i2', 'applied');
      INSERT INTO holdfast_log VALUES ('lists', 'l1', 0), ('notes', 'n1', 0), ('notes', 'left', 1), ('listTotals', 'l1', 0);
      INSERT INTO holdfast_scope VALUES ('user:runner', 1);
      INSERT INTO holdfast_commit VALUES ('user:runner', 1);
    `)
    db.close()
    try {
      expect(judge(readHistory(path), new Map([['phone', [1, 2]]]))).toEqual({
        acknowledged: 2,
        lost: 1,
        doubled: 0,
        outOfOrder: 0,
        problems: [],
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
