import type Database from 'better-sqlite3'
import { openWithNewIndex, type People } from './people.ts'

/** Work of which the engine does a part in one go, and the same by hand, which is that part. */
interface EngineCall {
  readonly valkeyrie: (db: People) => Promise<unknown>
  readonly byHand: (database: Database.Database) => void
}

export const engineCalls: Readonly<Record<string, EngineCall>> = {
  'the commit of updateMany': {
    valkeyrie: (db) => db.repositories.people.updateMany({ where: {}, set: { age: 5 } }),
    byHand: (database) => updateByHand(database)(),
  },
  'the commit of deleteMany': {
    valkeyrie: (db) => db.repositories.people.deleteMany({ where: {} }),
    byHand: (database) => deleteByHand(database)(),
  },
  clear: {
    valkeyrie: (db) => db.clear(),
    byHand: (database) => {
      // The log tells which keys are gone.
      database.prepare('SELECT key FROM kv').raw().all()
      database.exec('DELETE FROM kv')
    },
  },
  'an aggregate without an index': {
    valkeyrie: (db) => db.repositories.people.aggregate({ groupBy: 'age', avg: 'age' }),
    byHand: (database) =>
      void database
        .prepare(
          "SELECT value ->> '$.age' AS age, avg(value ->> '$.age') FROM kv WHERE collection = 'people' GROUP BY age",
        )
        .all(),
  },
  'a query that sorts without an index': {
    valkeyrie: (db) => db.repositories.people.findMany({ orderBy: { age: 'asc' }, limit: 10 }),
    byHand: (database) =>
      void database
        .prepare("SELECT value FROM kv WHERE collection = 'people' ORDER BY value ->> '$.age', key LIMIT 10")
        .all(),
  },
}

/** Opening a file with an index that it lacks, and what the engine does for it. */
export const indexBuild = {
  valkeyrie: async (path: string) => (await openWithNewIndex(path)).close(),
  byHand: (database: Database.Database) =>
    void database.exec("CREATE INDEX by_hand ON kv (value ->> '$.email', key) WHERE collection = 'people'"),
}

/** What is prepared beforehand is not measured: neither does the library hold the lock meanwhile. */
export function prepareByHand(database: Database.Database): void {
  byHandRows.set(
    database,
    (database.prepare('SELECT key, version, value FROM kv').raw().all() as [Buffer, number, string][]).map(
      ([key, version, value]) => [key, version, JSON.stringify({ ...JSON.parse(value), age: 5 })],
    ),
  )
}

const byHandRows = new WeakMap<Database.Database, [Buffer, number, string][]>()

function updateByHand(database: Database.Database): () => void {
  const update = database.prepare('UPDATE kv SET value = ?, version = ? WHERE key = ? AND version = ?')
  return database.transaction(() => {
    for (const [key, version, value] of byHandRows.get(database)!) update.run(value, 1e6, key, version)
  })
}

function deleteByHand(database: Database.Database): () => void {
  const remove = database.prepare('DELETE FROM kv WHERE key = ? AND version = ?')
  return database.transaction(() => {
    for (const [key, version] of byHandRows.get(database)!) remove.run(key, version)
  })
}
