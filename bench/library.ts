import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Valkeyrie } from 'valkeyrie'
import { type City, citySchema } from './cities.ts'
import { type Contender, expectEqual } from './harness.ts'
import type { TaskName } from './tasks.ts'
import {
  idsToWrite,
  pairOfUsers,
  readingOrder,
  storedIds,
  sumOfAges,
  sumOfAgesOfPairs,
  type User,
  userAt,
  userSchema,
} from './users.ts'

/** A database with the schemas of the benchmark. */
export const openDatabase = (path: string) =>
  Valkeyrie.withSchema(['users', '*'], userSchema).withSchema(['cities', '*'], citySchema).open(path)

type Database = Awaited<ReturnType<typeof openDatabase>>

/** This library, used through its public names: promises, awaited, and values that a Zod schema validates. */
export function valkeyrie(cities: readonly City[]): Contender<TaskName> {
  let dir: string
  let db: Database
  let emptyDb: Database
  let bulkLoads = 0
  const ids = idsToWrite()
  const openEmpty = () => openDatabase(join(dir, `cities-${bulkLoads++}.db`))

  function verifyList(rows: number, ages: number, n: number) {
    return () => {
      expectEqual(rows, n, 'rows')
      expectEqual(ages, sumOfAges, 'sum of the ages')
    }
  }

  async function expectStored(id: string, user: User) {
    const { value } = await db.get(['users', id])
    expectEqual(isDeepStrictEqual(value, user), true, `${id} as it was set`)
  }

  return {
    name: 'valkeyrie',
    async setup(folder) {
      dir = folder
      db = await openDatabase(join(dir, 'users.db'))
      await db.repositories.users.insertMany(storedIds.map((id, index) => [id, userAt(index)]))
      emptyDb = await openEmpty()
    },
    tasks: {
      async get(n) {
        let ages = 0
        for (let i = 0; i < n; i++) {
          const { value } = await db.get(['users', storedIds[readingOrder[i]!]!])
          ages += value!.age
        }
        return () => expectEqual(ages, sumOfAges, 'sum of the ages')
      },
      async 'get by id'(n) {
        let ages = 0
        for (let i = 0; i < n; i++) {
          const { value } = await db.repositories.users.get(storedIds[readingOrder[i]!]!)
          ages += value!.age
        }
        return () => expectEqual(ages, sumOfAges, 'sum of the ages')
      },
      async list(n) {
        let ages = 0
        let rows = 0
        for await (const { value } of db.list({ prefix: ['users'] })) {
          ages += (value as User).age
          rows++
        }
        return verifyList(rows, ages, n)
      },
      async 'list by id'(n) {
        let ages = 0
        let rows = 0
        for await (const { value } of db.repositories.users.list()) {
          ages += value.age
          rows++
        }
        return verifyList(rows, ages, n)
      },
      async set(n) {
        let id = ''
        for (let i = 0; i < n; i++) {
          id = ids.next().value
          await db.set(['users', id], userAt(i))
        }
        return () => expectStored(id, userAt(n - 1))
      },
      async 'set by id'(n) {
        let id = ''
        for (let i = 0; i < n; i++) {
          id = ids.next().value
          await db.repositories.users.set(id, userAt(i))
        }
        return () => expectStored(id, userAt(n - 1))
      },
      async 'sets at once'(n) {
        const entries = Array.from({ length: n }, (_, i) => [ids.next().value, userAt(i)] as const)
        const results = await Promise.all(entries.map(([id, user]) => db.set(['users', id], user)))
        return async () => {
          expectEqual(new Set(results.map(({ versionstamp }) => versionstamp)).size, n, 'versions')
          for (const [id, user] of entries) await expectStored(id, user)
        }
      },
      async 'atomic of 500'(n) {
        const entries = Array.from({ length: n }, (_, i) => [ids.next().value, userAt(i)] as const)
        const operation = db.atomic()
        for (const [id, user] of entries) operation.set(['users', id], user)
        const result = await operation.commit()
        return async () => {
          expectEqual(result.ok, true, 'ok')
          for (const [id, user] of entries) await expectStored(id, user)
        }
      },
      async 'unit of work'(n) {
        let ages = 0
        for (let i = 0; i < n; i++) {
          const [idOfA, idOfB] = pairOfUsers(i).map((index) => storedIds[index]!) as [string, string]
          await db.unitOfWork(async ({ repositories: { users } }) => {
            const a = (await users.get(idOfA)).value!
            const b = (await users.get(idOfB)).value!
            ages += a.age + b.age
            const { age } = a
            a.age = b.age
            b.age = age
          })
        }
        return () => expectEqual(ages, sumOfAgesOfPairs(n), 'sum of the ages')
      },
      async 'bulk load'(n) {
        await emptyDb.repositories.cities.insertMany(cities.map((city) => [city.cityId, city]))
        return async () => {
          expectEqual(await emptyDb.repositories.cities.count(), n, 'cities')
          for (const city of [cities[0]!, cities[n - 1]!]) {
            const stored = await emptyDb.repositories.cities.get(city.cityId)
            expectEqual(isDeepStrictEqual(stored.value, city), true, `${city.name} as it was`)
          }
          await emptyDb.close()
          emptyDb = await openEmpty()
        }
      },
    },
    async teardown() {
      await db.close()
      await emptyDb.close()
    },
  }
}
