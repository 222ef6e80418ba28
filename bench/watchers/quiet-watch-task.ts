import type { Store } from '../contenders/contender.ts'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Task } from '../harness/task.ts'
import type { Users } from '../values/users.ts'

/** Writes to a row that nobody watches, while so many watch others. */
export function quietWatchTask(store: Store, users: Users, watchers: number): Task {
  const id = 'unwatched'
  const user = users.at(0)
  let age = 0

  return async (n) => {
    const watching = Array.from({ length: watchers }, (_, i) => store.watch!(users.storedIds[i]!))
    await Promise.all(watching.map((watcher) => watcher.next()))
    return {
      async run() {
        for (let i = 0; i < n; i++) await store.set(id, { ...user, age: ++age })
      },
      async verify() {
        for (const watcher of watching) await watcher.stop()
        expectEqual(store.userOf(await store.get(id))?.age, age, 'the age set last')
      },
    }
  }
}
