import { join } from 'node:path'
import { loadPackage } from '../packages/load.ts'
import type { User } from '../values/user.ts'
import type { Contender, Store } from './contender.ts'
import { versionOfAlternative } from './version-of.ts'

interface Keyv {
  get(key: string): Promise<User | undefined>
  getMany(keys: string[]): Promise<(User | undefined)[]>
  set(key: string, value: User): Promise<boolean>
  readonly iterator: (() => AsyncIterable<readonly [string, User]>) | undefined
  disconnect(): Promise<void>
}

interface KeyvSqlite {
  query(sql: string): Promise<unknown>
}

interface KeyvPackage {
  readonly Keyv: new (options: { readonly store: KeyvSqlite }) => Keyv
}

interface KeyvSqlitePackage {
  readonly KeyvSqlite: new (options: { readonly uri: string; readonly iterationLimit: number }) => KeyvSqlite
}

export async function keyv(): Promise<Contender> {
  const { Keyv } = await loadPackage<KeyvPackage>('keyv')
  const { KeyvSqlite } = await loadPackage<KeyvSqlitePackage>('@keyv/sqlite')
  const version = `${versionOfAlternative('keyv')}, @keyv/sqlite ${versionOfAlternative('@keyv/sqlite')}`
  return {
    name: 'keyv',
    version,
    note: 'WAL and `synchronous` set by hand; lists in no order, and has no atomic operations',
    async open(dir, _, durability) {
      const store = new KeyvSqlite({ uri: `sqlite://${join(dir, 'users.db')}`, iterationLimit: 1_000 })
      await store.query('PRAGMA journal_mode = WAL')
      await store.query(`PRAGMA synchronous = ${durability}`)
      const db = new Keyv({ store })
      const { iterator } = db
      if (iterator === undefined) throw new Error('keyv does not list this store')
      return {
        get: (id) => db.get(id),
        userOf: (user: User | undefined) => user,
        getMany: (ids) => db.getMany([...ids]),
        set: (id, user) => db.set(id, user),
        setsAtOnce: (entries) => Promise.all(entries.map(([id, user]) => db.set(id, user))),
        list: () => iterator.call(db),
        userOfListed: ([, user]) => user,
        async load(entries) {
          let pending: Promise<boolean>[] = []
          for (const [id, user] of entries) {
            pending.push(db.set(id, user))
            if (pending.length < 1_000) continue
            await Promise.all(pending)
            pending = []
          }
          await Promise.all(pending)
        },
        close: () => db.disconnect(),
      } satisfies Store<User | undefined, readonly [string, User]>
    },
  }
}
