import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { type User, userSchema } from '../values/user.ts'
import { type Contender, type Durability, type Store, swapAges, versionOf, watcherOf } from './contender.ts'

const openUsers = (dir: string, durability: Durability) =>
  Valkeyrie.withSchema(['users', '*'], userSchema).open(join(dir, 'users.db'), { durability })

interface Found {
  readonly value: User | null
}

/** What both faces of a database do alike. */
const shared = (db: Awaited<ReturnType<typeof openUsers>>) =>
  ({
    userOf: ({ value }) => value,
    userOfListed: ({ value }) => value!,
    load: (entries) => db.repositories.users.insertMany(entries),
    close: () => db.close(),
  }) satisfies Partial<Store<Found>>

const version = `this, better-sqlite3 ${versionOf('better-sqlite3')}`

/** This library by its keys: promises, awaited, and values that a Zod schema validates. */
export const keyValue: Contender = {
  name: 'valkeyrie',
  version,
  note: 'by key: `db.get(key)`, which finds in memory what it has lately read; values validated by a Zod schema',
  async open(dir, _, durability) {
    const db = await openUsers(dir, durability)
    return {
      ...shared(db),
      get: (id) => db.get(['users', id]),
      getMany: (ids) => db.getMany(ids.map((id) => ['users', id] as const)),
      set: (id, user) => db.set(['users', id], user),
      async atomic(entries) {
        const operation = db.atomic()
        for (const [id, user] of entries) operation.set(['users', id], user)
        const { ok } = await operation.commit()
        if (!ok) throw new Error('the commit conflicts')
      },
      // The unit writes what was changed of what it has loaded.
      swapAges: (a, b) =>
        db.unitOfWork(async (unit) =>
          swapAges((await unit.get(['users', a])).value!, (await unit.get(['users', b])).value!),
        ),
      list: () => db.list({ prefix: ['users'] }),
      watch: (id) => watcherOf(db.watch([['users', id]]), ([entry]) => entry.value),
    } satisfies Store<Found>
  },
}

/** The same by its repository. */
export const repository: Contender = {
  name: 'valkeyrie repository',
  version,
  note: 'the same by repository: `users.get(id)`',
  async open(dir, _, durability) {
    const db = await openUsers(dir, durability)
    const { users } = db.repositories
    return {
      ...shared(db),
      get: (id) => users.get(id),
      getMany: (ids) => users.getMany(ids),
      set: (id, user) => users.set(id, user),
      atomic: (entries) =>
        db.unitOfWork(async (unit) => {
          for (const [id, user] of entries) await unit.repositories.users.set(id, user)
        }),
      swapAges: (a, b) =>
        db.unitOfWork(async ({ repositories: { users } }) =>
          swapAges((await users.get(a)).value!, (await users.get(b)).value!),
        ),
      list: () => users.list(),
      watch: (id) => watcherOf(users.watch(id), ({ value }) => value),
    } satisfies Store<Found>
  },
}
