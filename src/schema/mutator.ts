// Mutators: named, versioned functions that an app declares, run on the device and again at the authority.
// Only their declaration and the validation of arguments; how a run is recorded or committed belongs to client and server.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { SyncError } from '../base/errors.ts'
import { isRecord, type Json, jsonProblem, membersProblem, plainText } from '../base/json.ts'
import { type Columns, type InsertOf, type PatchOf, rowProblem, type Table } from './table.ts'
import type { Tx } from './tx.ts'

/**
 * What happens when others have changed rows that an intent was based on. `rerun`: the mutator runs on what is true now, and decides by
 * itself. `reject`: the intent is not run. `fields`: it is run, columns that it does not change stay as the others made them, and where
 * both changed one, the later decision wins. The last two leave a record of what was lost, which can be restored.
 */
export type ConflictPolicy = 'rerun' | 'reject' | 'fields'

/** The body of a mutator. It may await only what `tx` returns; it has no clock, dice or network. */
export type MutatorBody<Tables, Input> = (tx: Tx<Tables>, input: Input) => Promise<void>

/**
 * What counts as the same call when a plain HTTP caller sends no key: the same actor, mutator, arguments and parent, within so many
 * milliseconds by the authority's clock. Intents of devices always have an id and are never compared like this.
 */
export interface DedupeRule<Input> {
  readonly withinMs: number
  /** Under what the call writes, where the arguments alone do not say it. */
  readonly parent?: (input: Input) => string
}

/** What a mutator may declare besides its schema and body. */
export interface MutatorOptions<Input, Policy extends ConflictPolicy = ConflictPolicy> {
  /** Raised by one whenever the shape or the meaning of the arguments changes; 1 at first. */
  readonly version?: number
  /** What to do when others have changed what it was based on; `rerun` when left out. */
  readonly conflict?: Policy
  /** One line for people: «Squat: 5 × 100 kg». */
  readonly describe?: (input: Input) => string
  /** For each older version, what turns its arguments into those of the next one. Queued intents outlive app versions. */
  readonly upgrades?: { readonly [fromVersion: number]: (args: Json) => Json }
  /** Lets plain HTTP callers send no key. Off by default: the same coffee may be bought twice. */
  readonly dedupe?: DedupeRule<Input>
}

/** The highest version that a mutator can have: what the wire takes. */
export const MAX_MUTATOR_VERSION = 1_000_000

declare const types: unique symbol

/** A declared mutator. `Args` is what a call takes, `Input` what the schema makes of it. */
export interface Mutator<Args = unknown, Input = unknown, Policy extends ConflictPolicy = ConflictPolicy> {
  readonly schema: StandardSchemaV1
  readonly body: MutatorBody<{ readonly [table: string]: Table }, unknown>
  readonly version: number
  readonly conflict: Policy
  readonly describe: ((input: unknown) => string) | undefined
  readonly upgrades: { readonly [fromVersion: number]: (args: Json) => Json }
  readonly dedupe: DedupeRule<unknown> | undefined
  readonly [types]?: { readonly args: Args; readonly input: Input }
}

/** What a call of this mutator takes. */
export type ArgsOf<M> = M extends Mutator<infer Args, infer _Input> ? Args : never
/** What the body of this mutator receives. */
export type InputOf<M> = M extends Mutator<infer _Args, infer Input> ? Input : never

/** Declares a mutator of an app with these tables. */
export type MutatorMaker<Tables> = <Schema extends StandardSchemaV1, const Policy extends ConflictPolicy = 'rerun'>(
  schema: Schema,
  body: MutatorBody<Tables, StandardSchemaV1.InferOutput<Schema>>,
  options?: MutatorOptions<StandardSchemaV1.InferOutput<Schema>, Policy>,
) => Mutator<StandardSchemaV1.InferInput<Schema>, StandardSchemaV1.InferOutput<Schema>, Declared<Policy>>

/** The policy as it was declared: what the surroundings would like it to be says nothing. */
export type Declared<Policy extends ConflictPolicy> = [Policy] extends [infer Own extends ConflictPolicy] ? Own : never

/** The generated mutators of one table: `insertSets`, `updateSets`, `deleteSets` for a table `sets`. */
export type Generated<Name extends string, T, Policy extends ConflictPolicy = 'rerun'> = {
  readonly [K in `insert${Capitalize<Name>}`]: Mutator<InsertOf<T>, InsertOf<T>, Policy>
} & {
  readonly [K in `update${Capitalize<Name>}`]: Mutator<
    { readonly id: string } & PatchOf<T>,
    { readonly id: string } & PatchOf<T>,
    Policy
  >
} & {
  readonly [K in `delete${Capitalize<Name>}`]: Mutator<{ readonly id: string }, { readonly id: string }, Policy>
}

/** What generated mutators may be told. */
export interface GenerateOptions<Policy extends ConflictPolicy = ConflictPolicy> {
  readonly conflict?: Policy
}

/** The maker that defineApp hands to the callback. */
export function makeMutator(
  schema: StandardSchemaV1,
  body: MutatorBody<never, never>,
  options: MutatorOptions<never> = {},
): Mutator {
  return Object.freeze({
    schema,
    body: body as Mutator['body'],
    version: options.version ?? 1,
    conflict: options.conflict ?? 'rerun',
    describe: options.describe as Mutator['describe'],
    upgrades: Object.freeze({ ...options.upgrades }),
    dedupe: options.dedupe as Mutator['dedupe'],
  })
}

/** The three simple mutators of a table. */
export function generateMutators(
  name: string,
  table: Table,
  options: GenerateOptions = {},
): { readonly [mutator: string]: Mutator } {
  const capital = name.charAt(0).toUpperCase() + name.slice(1)
  const verbs = (tx: unknown) =>
    (
      tx as {
        readonly [table: string]: {
          insert(row: unknown): Promise<void>
          update(id: string, patch: unknown): Promise<void>
          delete(id: string): Promise<void>
        }
      }
    )[name]
  return {
    [`insert${capital}`]: makeMutator(
      rowSchema(table.columns, 'whole'),
      async (tx: never, input: never) => verbs(tx)?.insert(input),
      options,
    ),
    [`update${capital}`]: makeMutator(
      rowSchema(table.columns, 'patch'),
      async (tx: never, { id, ...patch }: { readonly id: string }) => verbs(tx)?.update(id, patch),
      options,
    ),
    [`delete${capital}`]: makeMutator(
      rowSchema({}, 'patch'),
      async (tx: never, { id }: { readonly id: string }) => verbs(tx)?.delete(id),
      options,
    ),
  }
}

/** A Standard Schema of a table's own rows, or of an id with a patch. */
export function rowSchema(columns: Columns, form: 'whole' | 'patch'): StandardSchemaV1<{ readonly id: string }> {
  return {
    '~standard': {
      version: 1,
      vendor: 'holdfast',
      validate(value) {
        if (!isRecord(value)) return { issues: [{ message: 'must be an object' }] }
        const { id, ...rest } = value as { readonly [column: string]: unknown }
        if (typeof id !== 'string') return { issues: [{ message: 'id is missing', path: ['id'] }] }
        const problem = rowProblem(columns, form === 'whole' ? (value as { readonly id: string }) : rest, form)
        return problem === undefined ? { value: value as { readonly id: string } } : { issues: [{ message: problem }] }
      },
    },
  }
}

/** The outcome of a validation: the input for the body, or what is wrong, field by field. */
export type Validated =
  | { readonly ok: true; readonly input: unknown }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Validates arguments; throws a SyncError `validation_async` when the schema answers with a promise. */
export function validateArguments(name: string, mutator: Mutator, args: unknown): Validated {
  const problem = jsonProblem(args) ?? membersProblem(args as Json)
  if (problem !== undefined) return { ok: false, problems: [problem] }
  const result = mutator.schema['~standard'].validate(args)
  if (result instanceof Promise)
    throw new SyncError('validation_async', `The schema of ${name} validates asynchronously`)
  if (result.issues === undefined) return { ok: true, input: result.value }
  return { ok: false, problems: result.issues.slice(0, 20).map(describeIssue) }
}

function describeIssue(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? [])
    .map((segment) => String(typeof segment === 'object' ? segment.key : segment))
    .join('.')
  // The message may repeat what was typed; it travels in an outcome, where a text cut in two halves of a pair would be refused.
  return plainText(path === '' ? issue.message : `${path}: ${issue.message}`, 200)
}
