import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { Pattern } from '../key/pattern.types.ts'

/**
 * What every message of a tracing channel has, besides what its own kind adds. No message holds a value, or the parts of a key.
 */
export interface TraceMessage {
  /** The path of the database's file, `:memory:`, or the address of its server without user and password. */
  readonly database: string
  /** At the end: how long it took, in milliseconds. */
  duration?: number
  /** At the end, if it failed: the `code` of a KvError, or the name of another error. */
  errorType?: string
  /**
   * A subscriber of `start` may set it: the traced work starts inside it, as `context.with` of OpenTelemetry starts a function in
   * a context. If it is already set, call the old one inside yours.
   */
  run?: (<T>(begin: () => T) => T) | undefined
}

/** A call of a database, of one of its repositories, or of a prepared query, on the channels `tracing:valkeyrie:call:*`. */
export interface TracedCall extends TraceMessage {
  /** The name of the method. */
  readonly call: string
  /** The repository's name; null for a method of the database. */
  readonly repository: string | null
  /** The pattern of the repository's keys. */
  readonly pattern: Pattern | null
  /** At the end: how many rows it returned or wrote, if it says so. */
  rows?: number
}

/**
 * A query of many rows, as it runs, on the channels `tracing:valkeyrie:query:*`. A call may run several, and each page of a list
 * is one.
 */
export interface TracedQuery extends TraceMessage {
  /** What it does: `related` reads the rows that `with` names, `scan` a page of a list. */
  readonly query: 'find' | 'related' | 'count' | 'aggregate' | 'scan'
  /** The repository whose rows it reads; null if it reads a range of keys. */
  readonly repository: string | null
  /** The query without its operands: names of fields (for a record, its keys) and of operators, and a `?` for each operand. */
  readonly shape: string
  /** At the end: how many rows it returned. */
  rows?: number
}

/** A transaction that commits the writes of one turn of the event loop, on the channels `tracing:valkeyrie:commit:*`. */
export interface TracedCommit extends TraceMessage {
  /** Writes that commit together, each with its own outcome. */
  readonly writes: number
  /** How many mutations of each kind they have: `{ set: 3, delete: 1 }`. */
  readonly mutations: Readonly<Record<string, number>>
  /** At the end: how many of the writes were refused because others had written first. */
  conflicts?: number
  /** At the end: how many of them failed. */
  failures?: number
  /** At the end: the milliseconds that the writes themselves took, without the wait for others and for the disk. */
  took?: number
}

/** A write that was refused because others had written first what it depends on, on the channel `valkeyrie:conflict`. */
export interface TracedConflict {
  /** The path of the database's file, `:memory:`, or the address of its server without user and password. */
  readonly database: string
  /** How many keys others have written. */
  readonly keys: number
  /** The repositories of these keys; null if no pattern matches one. */
  readonly repositories: readonly (string | null)[]
}

/** Work that is repeated after a conflict, on the channel `valkeyrie:retry`. */
export interface TracedRetry {
  /** The path of the database's file, `:memory:`, or the address of its server without user and password. */
  readonly database: string
  /** The attempt that has failed: 1 is the first. */
  readonly attempt: number
}

/** A wait that has ended, on the channel `valkeyrie:wait`. */
export interface TracedWait {
  /** The path of the database's file, `:memory:`, or the address of its server without user and password. */
  readonly database: string
  /** What it waited for: another connection's lock, the turn of a unit of work, or the time before another attempt. */
  readonly for: 'lock' | 'turn' | 'retry'
  /** How long, in milliseconds. */
  readonly duration: number
}

export const calls = tracingChannel<TracedCall, TracedCall>('valkeyrie:call')
export const queries = tracingChannel<TracedQuery, TracedQuery>('valkeyrie:query')
export const commits = tracingChannel<TracedCommit, TracedCommit>('valkeyrie:commit')
export const conflicts = channel('valkeyrie:conflict')
export const retries = channel('valkeyrie:retry')
export const waits = channel('valkeyrie:wait')
