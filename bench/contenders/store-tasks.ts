import { rmSync } from 'node:fs'
import { batchesOf, expectEqual, reads, writes } from '../harness/calls.ts'
import type { Racer, Task } from '../harness/race.ts'
import type { TemporaryFolder } from '../harness/temporary-folder.ts'
import type { Users } from '../values/users.ts'
import type { Contender, Durability, Entry, Store, Watcher } from './contender.ts'

/** No user that is stored at first is older. */
const oldest = 100
/** How many rows are read again and again. */
const hot = 100

/** The tasks of an open store that holds the users. What it cannot do it has no task for. */
export function storeTasks(store: Store, users: Users): Racer {
  const { getMany, atomic, swapAges } = store
  const ids = users.idsToWrite()
  let age = oldest
  /** No two of them are alike, so that a write that is lost is seen. */
  const entriesToWrite = (n: number): Entry[] =>
    Array.from({ length: n }, (_, i) => [ids.next().value, { ...users.at(i), age: ++age }])

  let read = 0
  /** Each turn goes on where the last one stopped, so that what was read lately is not read again soon. */
  const indexesToRead = (n: number) => Array.from({ length: n }, () => users.read(read++))
  const idAt = (index: number) => users.storedIds[index]!
  const ageOf = (found: unknown) => store.userOf(found)!.age

  async function expectStored(entries: Iterable<Entry>) {
    for (const [id, user] of entries) {
      expectEqual(store.userOf(await store.get(id)), user, `${id} as it was set`)
    }
  }

  /** Writes entries, so many at once. */
  const writing = (atOnce: number, write: (entries: readonly Entry[]) => unknown): Task =>
    writes({
      prepare: (n) => [...batchesOf(entriesToWrite(n), atOnce)],
      write,
      verify: (batches) => expectStored(batches.flat()),
    })

  const getting = (indexes: (n: number) => readonly number[]): Task =>
    reads({
      prepare: (n) => indexes(n).map((index) => ({ index, id: idAt(index) })),
      read: ({ id }) => store.get(id),
      sum: ageOf,
      expected: ({ index }) => users.at(index).age,
    })

  return {
    get: getting(indexesToRead),
    'get again': getting((n) => Array.from({ length: n }, (_, i) => users.read(i % hot))),

    'getMany of 100':
      getMany &&
      reads({
        prepare: (n) =>
          [...batchesOf(indexesToRead(n), 100)].map((indexes) => ({ indexes, ids: indexes.map(idAt) })),
        read: ({ ids }) => getMany(ids),
        sum: (found) => found.reduce((sum: number, one) => sum + ageOf(one), 0),
        expected: ({ indexes }) => users.sumOfAges(indexes),
      }),

    list: (n) => {
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
        verify: () =>
          expectEqual([rows, ages], [n, users.sumOfAges(users.storedIds.keys())], 'rows and their ages'),
      }
    },

    'unit of work':
      swapAges &&
      (async (n) => {
        const pairs = Array.from({ length: n }, (_, i) => users.pair(i))
        const { run, verify } = await reads({
          prepare: () => pairs.map((indexes) => ({ indexes, ids: indexes.map(idAt) as [string, string] })),
          read: ({ ids: [a, b] }) => swapAges(a, b),
          sum: (ages) => ages,
          expected: ({ indexes }) => users.sumOfAges(indexes),
        })(n)
        return {
          run,
          async verify() {
            await verify()
            const [a, b] = pairs.at(-1)!
            // The last swap of an odd number of them has not been swapped back.
            if (n % 2 === 1) await swapAges(idAt(a), idAt(b))
            await expectStored(pairs.flat().map((index) => [idAt(index), users.at(index)]))
          },
        }
      }),

    'watch by 100': store.watch && watchTask(store, users, 100, 'the row'),
    set: writing(1, ([entry]) => store.set(...entry!)),
    'sets at once': writing(
      1_000,
      store.setsAtOnce ?? ((entries) => Promise.all(entries.map(([id, user]) => store.set(id, user)))),
    ),
    'atomic of 500': atomic && writing(500, atomic),
  }
}

/**
 * Sets, while so many watch. Where they watch the row that is set, a set is done when it is acknowledged and all of them
 * have seen it.
 */
export function watchTask(
  store: Store,
  users: Users,
  watchers: number,
  watched: 'the row' | 'other rows',
): Task {
  const isSeen = watched === 'the row'
  const id = isSeen ? 'watched' : 'unwatched'
  let age = 0
  const set = () => store.set(id, { ...users.at(0), age })

  return async (n) => {
    await set()
    const watching = Array.from({ length: watchers }, (_, i) =>
      store.watch!(isSeen ? id : users.storedIds[i]!),
    )
    const allSeen = () => Promise.all(watching.map((watcher) => seen(watcher, age)))
    await (isSeen ? allSeen() : Promise.all(watching.map((watcher) => watcher.next())))
    return {
      async run() {
        for (let i = 0; i < n; i++) {
          age++
          const done = isSeen ? allSeen() : undefined
          await set()
          if (done !== undefined) await done
        }
      },
      async verify() {
        for (const watcher of watching) await watcher.stop()
        expectEqual(store.userOf(await store.get(id))?.age, age, 'the age set last')
      },
    }
  }
}

/** Reads on until the watcher sees this age: an earlier state may come before. */
async function seen(watcher: Watcher, age: number): Promise<void> {
  while ((await watcher.next())?.age !== age);
}

/** The tasks of a contender that open files: the one in `dir`, which holds the users and is closed, and new ones. */
export function fileTasks(
  contender: Contender,
  users: Users,
  durability: Durability,
  dir: string,
  temporary: TemporaryFolder,
): Record<'open' | 'bulk load', Task> {
  let opened = 0
  return {
    open() {
      const index = users.read(opened++)
      let store: Store
      let found: unknown
      return {
        async run() {
          store = await contender.open(dir, users, durability)
          found = await store.get(users.storedIds[index]!)
        },
        async verify() {
          expectEqual(store.userOf(found), users.at(index), 'the user read first')
          await store.close()
        },
      }
    },

    async 'bulk load'(n) {
      const empty = temporary.folder(contender.name)
      const store = await contender.open(empty, users, durability)
      const entries = [...users.entries(n)]
      return {
        run: () => store.load(entries),
        async verify() {
          let rows = 0
          let ages = 0
          for await (const one of store.list()) {
            ages += store.userOfListed(one).age
            rows++
          }
          expectEqual([rows, ages], [n, users.sumOfAges(Array(n).keys())], 'rows and their ages')
          await store.close()
          rmSync(empty, { recursive: true })
        },
      }
    },
  }
}
