import type { StandardSchemaV1 } from '@standard-schema/spec'
import { z } from 'zod'
import type { PatternPart, TypedId } from '../key/pattern.types.ts'
import { id } from '../key/typed-id.ts'
import { defineSchema } from '../schema/definition.ts'
import type { DefinitionOf } from '../schema/definition.types.ts'
import { jsonSchemaOf } from '../schema/json-schema.ts'
import { standIn } from '../schema/stand-in.ts'
import type { ValueType } from '../value/value-type.ts'

/** A waiting or running job, as it is stored. Times are milliseconds since the epoch. */
export interface StoredJob<P = unknown> {
  /** The payload, as the schema of the queue has output it. */
  readonly payload: P
  /**
   * When a worker may take it: at once, after a delay or a failure, or when the lease of the worker that has it is over. Null while it waits
   * for those of its group that were enqueued before.
   */
  readonly due: number | null
  /** Lower ones come first. */
  readonly priority: number
  /** Jobs of one group run one at a time; null for none. */
  readonly group: string | null
  /** The `deduplicate` that is free again when it is done. */
  readonly unique: string | null
  /** How many attempts have begun. */
  readonly attempts: number
  /** The worker that has it, or had it when the lease ran out; null if none has. */
  readonly worker: string | null
  /** Why the last attempt failed. */
  readonly error: string | null
  /** When it was enqueued. */
  readonly enqueuedAt: number
}

/** A job that no worker has had yet. */
export function newJob(
  job: Omit<StoredJob, 'unique' | 'attempts' | 'worker' | 'error'> &
    Partial<Pick<StoredJob, 'unique' | 'error'>>,
): StoredJob {
  const { payload, due, priority, group, unique = null, error = null, enqueuedAt } = job
  return { payload, due, priority, group, unique, attempts: 0, worker: null, error, enqueuedAt }
}

/** A job whose last attempt has failed. Times are milliseconds since the epoch. */
export interface DeadLetter<P = unknown> {
  /** That of the job. */
  readonly payload: P
  /** That of the job. */
  readonly priority: number
  /** That of the job. */
  readonly group: string | null
  /** The `deduplicate` of the job, which others may use. */
  readonly unique?: string | null | undefined
  /** How many there were. */
  readonly attempts: number
  /** Why the last attempt failed. */
  readonly error: string
  /** When the job was enqueued. */
  readonly enqueuedAt: number
  /** When its last attempt failed. */
  readonly diedAt: number
}

/** A schedule, as it is stored. */
export interface StoredSchedule<P = unknown> {
  /** The cron expression. */
  readonly cron: string
  /** The time zone in which it is read. */
  readonly timeZone: string
  /** What to do about times at which no worker was running. */
  readonly misfire: 'once' | 'skip' | 'all'
  /** The payload of its jobs. */
  readonly payload: P
  /** The priority of its jobs. */
  readonly priority: number
  /** The group of its jobs. */
  readonly group: string | null
  /** The next occurrence, in milliseconds since the epoch; null if there is none. */
  readonly next: number | null
  /** The occurrence whose job was enqueued a moment early: the next one, until its time has passed. */
  readonly ahead?: number | null | undefined
}

type Payload<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>
type Id = TypedId<string>

/** The schema of rows of a queue. It has a name of its own, for the declarations of programs that export a database. */
export interface QueueSchema<V> extends StandardSchemaV1<V, V> {}

type Rows<N extends string, Where extends readonly PatternPart[], V, Name extends string> = DefinitionOf<
  readonly ['queues', N, ...Where],
  QueueSchema<V>,
  { readonly name: Name }
>

/** The definitions of a queue: its jobs, its dead letters, its schedules, and its notes on groups and `deduplicate`. */
export type QueueDefinitions<N extends string, S extends StandardSchemaV1> = readonly [
  jobs: Rows<N, readonly ['jobs', Id], StoredJob<Payload<S>>, N>,
  dead: Rows<N, readonly ['dead', Id], DeadLetter<Payload<S>>, `${N}Dead`>,
  schedules: Rows<N, readonly ['schedules', Id], StoredSchedule<Payload<S>>, `${N}Schedules`>,
  lines: Rows<N, readonly ['lines', Id, Id], { readonly job: string }, `${N}Lines`>,
  keys: Rows<N, readonly ['keys', Id], StoredKey, `${N}Keys`>,
]

/** A `deduplicate` key in use, and the job that uses it. */
export interface StoredKey {
  /** The id of the job. */
  readonly job: string
  /** Whether it is taken until the job is done, not for a time. */
  readonly whileQueued: boolean
}

/** The place in a group's line of the job that runs: before all ids. */
export const front = ''

const priority = z.int()
const group = z.string().nullable()
const time = z.number()

export function definitionsOf<N extends string, S extends StandardSchemaV1>(
  name: N,
  schema: S,
  valueTypes: readonly ValueType[],
): QueueDefinitions<N, S> {
  const payload = describedAs(schema)
  const jobs = z.object({
    payload,
    due: time.nullable(),
    priority,
    group,
    unique: z.string().nullable(),
    attempts: z.int().min(0),
    worker: z.string().nullable(),
    error: z.string().nullable(),
    enqueuedAt: time,
  })
  const dead = z.object({
    payload,
    priority,
    group,
    unique: z.string().nullish(),
    attempts: z.int().min(0),
    error: z.string(),
    enqueuedAt: time,
    diedAt: time,
  })
  const schedules = z.object({
    cron: z.string(),
    timeZone: z.string(),
    misfire: z.enum(['once', 'skip', 'all']),
    payload,
    priority,
    group,
    next: time.nullable(),
    ahead: time.nullish(),
  })
  const lines = z.object({ job: z.string() })
  const keys = z.object({ job: z.string(), whileQueued: z.boolean() })
  const definitions = [
    defineSchema(['queues', name, 'jobs', id.string()], jobs, {
      name,
      indexes: [{ on: ['priority', 'due'] }],
      valueTypes,
    }),
    defineSchema(['queues', name, 'dead', id.string()], dead, { name: `${name}Dead`, valueTypes }),
    defineSchema(['queues', name, 'schedules', id.string()], schedules, {
      name: `${name}Schedules`,
      indexes: [{ on: 'next' }],
      valueTypes,
    }),
    defineSchema(['queues', name, 'lines', id.string(), id.string()], lines, { name: `${name}Lines` }),
    defineSchema(['queues', name, 'keys', id.string()], keys, { name: `${name}Keys` }),
  ]
  return Object.freeze(definitions) as unknown as QueueDefinitions<N, S>
}

/**
 * A schema that accepts any payload, because stored payloads have already been through the schema of the queue. It still describes
 * the same fields.
 */
function describedAs(schema: StandardSchemaV1): z.ZodType {
  const described = jsonSchemaOf(schema)
  // References to other parts of the schema would break inside this one.
  if (described === null || /"\$(ref|defs)"/.test(JSON.stringify(described))) return z.any()
  const { $schema: _, ...rest } = described
  return standIn(z.any().meta(rest), schema)
}
