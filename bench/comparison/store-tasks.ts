import type { Entry, Store } from '../contenders/contender.ts'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Task } from '../harness/task.ts'
import { expectSum, type Users } from '../values/users.ts'
import type { StoreTask } from './tasks.ts'
import { watchTask } from './watch-task.ts'

/** No user that is stored at first is older. */
const oldest = 100

/** The tasks of an open store that holds the users. What it cannot do it has no task for. */
export function storeTasks(store: Store, users: Users): Partial<Record<StoreTask, Task>> {
  const { getMany, atomic, swapAges } = store
  const ids = users.idsToWrite()
  let age = oldest
  /** No two of them are alike, so that a write that is lost is seen. */
  const entriesToWrite = (n: number): Entry[] =>
    Array.from({ length: n }, (_, i) => [ids.next().value, { ...users.at(i), age: ++age }])

  const indexesToRead = (n: number) => Array.from({ length: n }, (_, i) => users.read(i))
  const idsAt = (indexes: readonly number[]) => indexes.map((index) => users.storedIds[index]!)

  async function expectStored(entries: Iterable<Entry>) {
    for (const [id, user] of entries) {
      expectEqual(store.userOf(await store.get(id)), user, `${id} as it was set`)
    }
  }

  /** A task that writes entries, so many at once, and looks whether they are there. */
  const writing =
    (atOnce: number, write: (entries: readonly Entry[]) => unknown): Task =>
    (n) => {
      const batches = batchesOf(entriesToWrite(n), atOnce)
      return {
        async run() {
          for (const batch of batches) {
            const done = write(batch)
            if (done instanceof Promise) await done
          }
        },
        verify: () => expectStored(batches.flat()),
      }
    }

  return {
    get(n) {
      const indexes = indexesToRead(n)
      const wanted = idsAt(indexes)
      let ages = 0
      return {
        async run() {
          for (const id of wanted) {
            const found = store.get(id)
            ages += store.userOf(found instanceof Promise ? await found : found)!.age
          }
        },
        verify: () => expectSum(ages, users.sumOfAges(indexes)),
      }
    },

    ...(getMany && {
      'getMany of 100': (n) => {
        const indexes = indexesToRead(n)
        const wanted = batchesOf(idsAt(indexes), 100)
        let ages = 0
        return {
          async run() {
            for (const batch of wanted) {
              const found = getMany(batch)
              for (const one of found instanceof Promise ? await found : found) {
                ages += store.userOf(one)!.age
              }
            }
          },
          verify: () => expectSum(ages, users.sumOfAges(indexes)),
        }
      },
    }),

    list(n) {
      let ages = 0
      let rows = 0
      return {
        async run() {
          const listed = store.list()
          if (Symbol.iterator in listed) {
            for (const one of listed) {
              ages += store.userOfListed(one).age
              rows++
            }
          } else {
            for await (const one of listed) {
              ages += store.userOfListed(one).age
              rows++
            }
          }
        },
        verify() {
          expectEqual(rows, n, 'rows')
          expectSum(ages, users.sumOfAges(users.storedIds.keys()))
        },
      }
    },

    ...(swapAges && {
      'unit of work': (n) => {
        const pairs = Array.from({ length: n }, (_, i) => users.pair(i))
        const idPairs = pairs.map(idsAt) as [string, string][]
        let ages = 0
        return {
          async run() {
            for (const [a, b] of idPairs) {
              const sum = swapAges(a, b)
              ages += sum instanceof Promise ? await sum : sum
            }
          },
          async verify() {
            expectSum(ages, users.sumOfAges(pairs.flat()))
            // The last swap of an odd number of them has not been swapped back.
            if (n % 2 === 1) await swapAges(...idPairs.at(-1)!)
            await expectStored(pairs.flat().map((index) => [users.storedIds[index]!, users.at(index)]))
          },
        }
      },
    }),

    ...(store.watch && { 'watch by 100': watchTask(store, users, 100) }),

    set: writing(1, ([entry]) => store.set(...entry!)),
    'sets at once': writing(1_000, (entries) => store.setsAtOnce(entries)),
    ...(atomic && { 'atomic of 500': writing(500, (entries) => atomic(entries)) }),
  }
}

const batchesOf = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
