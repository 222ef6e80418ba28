import { rmSync } from 'node:fs'
import type { Contender, Durability, Store } from '../contenders/contender.ts'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Task } from '../harness/task.ts'
import type { TemporaryFolder } from '../harness/temporary-folder.ts'
import { expectSum, type Users } from '../values/users.ts'
import type { FileTask } from './tasks.ts'

/** The tasks of a contender that open files: the one in `dir`, which holds the users and is closed, and new ones. */
export function fileTasks(
  contender: Contender,
  users: Users,
  durability: Durability,
  dir: string,
  temporary: TemporaryFolder,
): Record<FileTask, Task> {
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
          expectEqual(rows, n, 'rows')
          expectSum(ages, users.sumOfAges(Array(n).keys()))
          await store.close()
          rmSync(empty, { recursive: true })
        },
      }
    },
  }
}
