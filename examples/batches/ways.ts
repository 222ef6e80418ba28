import type { OpenOptions } from 'valkeyrie'
import { type Reading, type Readings, schemas } from './readings.ts'

/** Stores readings that are not there yet. */
export type Way = (db: Readings, readings: readonly Reading[]) => Promise<void>

/**
 * Each waits until the one before is committed: a transaction a row, each with its lock, its page of the log and, with
 * `durability: 'full'`, its wait for the disk. Right where the next row depends on the outcome of the last.
 */
const oneAtATime: Way = async ({ repositories: { readings } }, rows) => {
  for (const row of rows) await readings.set(row.id, row)
}

/**
 * Writes of one turn of the event loop share one transaction, and remain commits of their own: each has its versionstamp,
 * its result and its failure. It is what a server does by itself that answers many requests at once.
 */
const allAtOnce: Way = async ({ repositories: { readings } }, rows) => {
  // Settled and not `all`, which rejects with the first failure while the other writes are still to come.
  const results = await Promise.allSettled(rows.map((row) => readings.set(row.id, row)))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** One commit, all of it or nothing, under one versionstamp. The event loop stands still while it is made. */
const oneAtomic: Way = async (db, rows) => {
  const { readings } = db.repositories
  const batch = db.atomic()
  for (const row of rows) batch.set(readings.key(row.id), row)
  await batch.commit()
}

/**
 * A commit for each thousand rows, and a turn of the event loop after each, so that the rest of the program goes on. Takes any
 * iterable, also one that reads a file as it goes, and refuses an id that exists.
 */
const insertMany: Way = async ({ repositories: { readings } }, rows) => {
  await readings.insertMany(rows.map((row) => [row.id, row] as const))
}

export const ways = { oneAtATime, allAtOnce, oneAtomic, insertMany } as const

/** What is told of a reading that cannot be stored; without it, the load is rejected. */
export interface Refusals {
  readonly refused?: (error: unknown, reading: Reading) => void
}

/**
 * Opens a database and loads it: a transaction for each thousand rows, in which each row is a commit of its own, so that
 * one that cannot be stored is reported and left out, and the others are stored.
 */
export function load(
  path: string | undefined,
  rows: Iterable<Reading>,
  { refused, ...options }: OpenOptions & Refusals = {},
): Promise<Readings> {
  return schemas.from(rows, {
    ...options,
    path,
    prefix: ['readings'],
    keyProperty: 'id',
    ...(refused === undefined ? {} : { onError: 'continue', onErrorCallback: refused }),
  })
}
