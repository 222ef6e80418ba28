import { join } from 'node:path'
import { batchesOf } from '../harness/calls.ts'
import { loadPackage } from '../packages/install.ts'
import type { User } from '../values/user.ts'
import { type Contender, type Entry, type Store, versionOfAlternative } from './contender.ts'

interface Listed {
  readonly key: string
  readonly value: User
}

interface Lmdb {
  get(key: string): User | undefined
  getMany(keys: readonly string[]): Promise<(User | undefined)[]>
  put(key: string, value: User): Promise<boolean>
  transaction<T>(work: () => T): Promise<T>
  getRange(options: { readonly start: string; readonly end: string }): Iterable<Listed>
  close(): Promise<void>
}

interface Package {
  open(options: { readonly path: string; readonly noSync: boolean; readonly overlappingSync: boolean }): Lmdb
}

const keyOf = (id: string) => `users/${id}`

export async function lmdb(): Promise<Contender> {
  const { open } = await loadPackage<Package>('lmdb')
  return {
    name: 'lmdb',
    version: versionOfAlternative('lmdb'),
    note: '`noSync`, the nearest to `synchronous=NORMAL`: a crash of the machine may damage the file, not only lose the last commits',
    open(dir, _, durability) {
      // By overlapping syncs a commit would be acknowledged before it is on the disk.
      const db = open({
        path: join(dir, 'users.mdb'),
        noSync: durability === 'normal',
        overlappingSync: false,
      })
      const putAll = (entries: readonly Entry[]) => {
        for (const [id, user] of entries) db.put(keyOf(id), user)
      }
      return {
        get: (id) => db.get(keyOf(id)),
        userOf: (user) => user,
        getMany: (ids) => db.getMany(ids.map(keyOf)),
        set: (id, user) => db.put(keyOf(id), user),
        atomic: (entries) => db.transaction(() => putAll(entries)),
        swapAges: (idOfA, idOfB) =>
          db.transaction(() => {
            const a = db.get(keyOf(idOfA))!
            const b = db.get(keyOf(idOfB))!
            putAll([
              [idOfA, { ...a, age: b.age }],
              [idOfB, { ...b, age: a.age }],
            ])
            return a.age + b.age
          }),
        list: () => db.getRange({ start: 'users/', end: 'users0' }),
        userOfListed: ({ value }) => value,
        async load(entries) {
          for (const batch of batchesOf(entries, 1_000)) await db.transaction(() => putAll(batch))
        },
        close: () => db.close(),
      } satisfies Store<User | undefined, Listed>
    },
  }
}
