import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { type User, userSchema } from '../values/user.ts'
import type { Contender, Durability, Store, Watcher } from './contender.ts'
import { versionOf } from './version-of.ts'

const openUsers = (dir: string, durability: Durability) =>
  Valkeyrie.withSchema(['users', '*'], userSchema).open(join(dir, 'users.db'), { durability })

type Database = Awaited<ReturnType<typeof openUsers>>

interface Found {
  readonly value: User | null
}

const userOf = ({ value }: Found) => value
const userOfListed = ({ value }: Found) => value!

/** What both faces of a database do alike. */
function shared(db: Database) {
  return {
    load: (entries) => db.repositories.users.insertMany(entries),
    close: () => db.close(),
    userOf,
    userOfListed,
  } satisfies Partial<Store<Found>>
}

const version = `this, better-sqlite3 ${versionOf('better-sqlite3')}`

/** This library by its keys: promises, awaited, and values that a Zod schema validates. */
export const keyValue: Contender = {
  name: 'valkeyrie',
  version,
  note: 'by key: `db.get(key)`; values validated by a Zod schema',
  async open(dir, _, durability) {
    const db = await openUsers(dir, durability)
    return {
      ...shared(db),
      get: (id) => db.get(['users', id]),
      getMany: (ids) => db.getMany(ids.map((id) => ['users', id] as const)),
      set: (id, user) => db.set(['users', id], user),
      setsAtOnce: (entries) => Promise.all(entries.map(([id, user]) => db.set(['users', id], user))),
      async atomic(entries) {
        const operation = db.atomic()
        for (const [id, user] of entries) operation.set(['users', id], user)
        const { ok } = await operation.commit()
        if (!ok) throw new Error('the commit conflicts')
      },
      swapAges: (idOfA, idOfB) =>
        db.unitOfWork(async (unit) => {
          const a = (await unit.get(['users', idOfA])).value!
          const b = (await unit.get(['users', idOfB])).value!
          return swapAges(a, b)
        }),
      list: () => db.list({ prefix: ['users'] }),
      watch: (id) => watcher(db.watch([['users', id]]), ([entry]) => entry),
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
      setsAtOnce: (entries) => Promise.all(entries.map(([id, user]) => users.set(id, user))),
      atomic: (entries) =>
        db.unitOfWork(async (unit) => {
          for (const [id, user] of entries) await unit.repositories.users.set(id, user)
        }),
      swapAges: (idOfA, idOfB) =>
        db.unitOfWork(async (unit) => {
          const a = (await unit.repositories.users.get(idOfA)).value!
          const b = (await unit.repositories.users.get(idOfB)).value!
          return swapAges(a, b)
        }),
      list: () => users.list(),
      watch: (id) => watcher(users.watch(id), (entry) => entry),
    } satisfies Store<Found>
  },
}

/** Changes two loaded users in place: their unit writes them. */
function swapAges(a: User, b: User): number {
  const { age } = a
  a.age = b.age
  b.age = age
  return a.age + b.age
}

function watcher<Item>(stream: ReadableStream<Item>, entryOf: (item: Item) => Found): Watcher {
  const reader = stream.getReader()
  return {
    async next() {
      const { done, value } = await reader.read()
      return done ? undefined : entryOf(value).value
    },
    stop: () => reader.cancel(),
  }
}
