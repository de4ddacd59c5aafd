// The frames of protocol 1 as values: one of each kind, with every optional member at least once. Golden files hold their bytes.
import type { Decoder } from '../../src/protocol/codec.ts'
import { patch, seal } from '../../src/protocol/frame.ts'
import { makeProblem, problem } from '../../src/protocol/problem.ts'
import { pullAnswer, pullRequest } from '../../src/protocol/pull.ts'
import { pushAnswer, pushRequest } from '../../src/protocol/push.ts'

const client = '0b6f9b3e-3a0b-4c55-9a43-6f1f6b1f7a01'
const before = '5d0c1f52-7c3e-4f6c-8c39-0a9a1d4f9b02'
const intents = [
  'c0a80101-0000-4000-8000-000000000001',
  'c0a80101-0000-4000-8000-000000000002',
  'c0a80101-0000-4000-8000-000000000003',
]
const mark = '9f86d081884c7d659a2feaa0c55ad015'
const caller = {
  protocol: 1,
  app: '3f1c5a0e-8f6b-5d0a-9c37-2b6c1e9d4a71',
  actor: '42',
  client,
  last: 9,
  stored: 4,
}

const aPatch = {
  scope: 'user:42',
  from: { version: 6, mark },
  to: { version: 7, mark: 'a3c2f1', within: { table: 'sets', id: 's-2' } },
  rows: {
    workouts: [{ id: 'w-1', ownerId: '42', name: 'Beine 🦵', note: null, startedAt: 1772323200000, isDone: false }],
    sets: [{ id: 's-1', workoutId: 'w-1', position: 1, exercise: 'Squat', reps: 5, kg: 102.5, rpe: null }],
    workoutTotals: [{ id: 'w-1', sets: 1, volume: 512.5 }],
  },
  gone: { sets: ['s-0'] },
}
const aReset = {
  scope: 'gym:7',
  from: { version: 0, mark: '' },
  to: { version: 3, mark: 'ff00' },
  reset: true,
  rows: {},
  gone: {},
}
const aSeal = {
  client,
  decided: 8,
  decidedId: intents[1],
  outcomes: [
    { from: 5, to: 6, status: 'applied' },
    { from: 7, to: 7, status: 'rejected', code: 'too_heavy', details: { max: 200 } },
    { from: 8, to: 8, status: 'withdrawn', code: 'dependency', details: { on: intents[0] }, repeated: true },
  ],
  scopes: ['user:42', 'gym:7'],
  at: 1772323205000,
}

const aConflict = {
  from: 9,
  to: 9,
  status: 'conflict',
  code: 'conflict_merged',
  details: { policy: 'fields', records: ['1f0a7c52-64de-5b0d-8f19-3b1f0f6a9c03'] },
}

/** Each frame by its file's name. */
export const GOLDEN: { readonly [file: string]: { readonly decoder: Decoder<unknown>; readonly value: unknown } } = {
  'push-request': {
    decoder: pushRequest,
    value: {
      ...caller,
      intents: [
        {
          sequence: 7,
          id: intents[0],
          name: 'logSet',
          version: 1,
          args: { id: 's-1', reps: 5, kg: 102.5 },
          madeAt: 1772323200123,
        },
        {
          sequence: 8,
          id: intents[1],
          root: intents[0],
          name: 'logSet',
          version: 2,
          args: null,
          madeAt: 1772323200124,
          needs: [intents[0]],
          births: [[before, 3]],
        },
        { sequence: 9, id: intents[2], withdraw: 'discarded' },
      ],
    },
  },
  'push-request-base': {
    decoder: pushRequest,
    value: {
      ...caller,
      after: intents[1],
      intents: [
        {
          sequence: 9,
          id: intents[2],
          name: 'renameWorkout',
          version: 1,
          args: { id: 'w-1', name: 'Legs', note: null },
          madeAt: 1772323200125,
          base: {
            places: [{ scope: 'user:42', version: 6, mark }],
            rows: [
              { table: 'workouts', id: 'w-1', at: 0, was: { name: 'Beine 🦵' }, same: { note: null } },
              { table: 'sets', id: 's-1', at: -1 },
            ],
          },
        },
      ],
    },
  },
  'push-answer-conflict': {
    decoder: pushAnswer,
    value: { requestId: 'req-1', client, decided: 9, outcomes: [aConflict] },
  },
  'push-answer': { decoder: pushAnswer, value: { requestId: 'req-1', client, decided: 8, outcomes: aSeal.outcomes } },
  'push-answer-stop': {
    decoder: pushAnswer,
    value: {
      requestId: 'req-2',
      client,
      decided: 6,
      outcomes: [],
      stop: { sequence: 9, code: 'gap', detail: 'An earlier number is missing', expected: 7, retryAfterMs: 0 },
    },
  },
  'pull-request': {
    decoder: pullRequest,
    value: {
      ...caller,
      cursors: [
        { scope: 'user:42', version: 6, mark },
        { scope: 'gym:7', version: 3, mark: 'ff00', within: { table: 'sets', id: 's-2' } },
      ],
    },
  },
  'pull-answer': { decoder: pullAnswer, value: { requestId: 'req-3', patches: [aPatch, aReset] } },
  'pull-answer-sealed': { decoder: pullAnswer, value: { requestId: 'req-4', patches: [], seal: aSeal } },
  patch: { decoder: patch, value: aPatch },
  seal: { decoder: seal, value: aSeal },
  problem: {
    decoder: problem,
    value: makeProblem('unavailable', 'req-5', 'The database is being moved.', {
      retryAfterMs: 2_000,
      intentId: intents[0] as string,
    }),
  },
}
