import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { userSchema, userWithNotes } from '../values/user.ts'

export const rows = 50_000

const withPeople = (indexes: readonly { readonly on: 'city' | 'email' }[]) =>
  Valkeyrie.withSchema(['people', '*'], userSchema, { name: 'people', indexes })

export const openPeople = (path: string) => withPeople([{ on: 'city' }]).open(path)
export const openWithNewIndex = (path: string) => withPeople([{ on: 'city' }, { on: 'email' }]).open(path)

export type People = Awaited<ReturnType<typeof openPeople>>

export const people = (from: number, count = rows) =>
  Array.from({ length: count }, (_, n) => [from + n, userWithNotes(n, 0)] as const)

/** A file with all of them, and what copies it. */
export async function writePeople(folder: string): Promise<() => string> {
  const path = join(folder, 'people.db')
  const db = await openPeople(path)
  await db.repositories.people.insertMany(people(0))
  await db.close()
  let copies = 0
  return () => {
    const copy = join(folder, `people-${copies++}.db`)
    copyFileSync(path, copy)
    return copy
  }
}

export function openByHand(path: string): Database.Database {
  const database = new Database(path)
  database.pragma('synchronous = NORMAL')
  database.pragma('wal_autocheckpoint = 4000')
  database.pragma('cache_size = -8192')
  return database
}

export function expireAll(path: string): void {
  const database = openByHand(path)
  database.exec('UPDATE kv SET expires_at = 1')
  database.close()
}
