import { join } from 'node:path'
import { batchesOf } from '../harness/calls.ts'
import { loadPackage } from '../packages/install.ts'
import type { User } from '../values/user.ts'
import { type Contender, type Store, versionOfAlternative } from './contender.ts'

interface KeyvSqlite {
  readonly KeyvSqlite: new (options: {
    readonly uri: string
    readonly iterationLimit: number
  }) => Map<string, unknown> & { query(sql: string): Promise<unknown> }
}

export async function keyv(): Promise<Contender> {
  const { Keyv } = await loadPackage<typeof import('keyv')>('keyv')
  const { KeyvSqlite } = await loadPackage<KeyvSqlite>('@keyv/sqlite')
  const version = `${versionOfAlternative('keyv')}, @keyv/sqlite ${versionOfAlternative('@keyv/sqlite')}`
  return {
    name: 'keyv',
    version,
    note: 'WAL and `synchronous` set by hand; lists in no order, and has no atomic operations',
    async open(dir, _, durability) {
      const store = new KeyvSqlite({ uri: `sqlite://${join(dir, 'users.db')}`, iterationLimit: 1_000 })
      await store.query('PRAGMA journal_mode = WAL')
      await store.query(`PRAGMA synchronous = ${durability}`)
      const db = new Keyv<User>({ store })
      const { iterator } = db
      if (iterator === undefined) throw new Error('keyv does not list this store')
      return {
        get: (id) => db.get(id),
        userOf: (user) => user,
        getMany: (ids) => db.getMany([...ids]),
        set: (id, user) => db.set(id, user),
        list: () => iterator.call(db, undefined) as AsyncIterable<readonly [string, User]>,
        userOfListed: ([, user]) => user,
        async load(entries) {
          for (const batch of batchesOf(entries, 1_000))
            await Promise.all(batch.map(([id, user]) => db.set(id, user)))
        },
        close: () => db.disconnect(),
      } satisfies Store<User | undefined, readonly [string, User]>
    },
  }
}
