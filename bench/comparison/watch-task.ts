import type { Store, Watcher } from '../contenders/contender.ts'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Task } from '../harness/task.ts'
import type { Users } from '../values/users.ts'

/** Writes, each of which is done when it is acknowledged and so many watchers of its row have seen it. */
export function watchTask(store: Store, users: Users, watchers: number): Task {
  const id = 'watched'
  const user = users.at(0)
  let age = 0

  return async (n) => {
    await store.set(id, { ...user, age })
    const watching = Array.from({ length: watchers }, () => store.watch!(id))
    await Promise.all(watching.map((watcher) => seen(watcher, age)))
    return {
      async run() {
        for (let i = 0; i < n; i++) {
          age++
          const allSeen = Promise.all(watching.map((watcher) => seen(watcher, age)))
          await store.set(id, { ...user, age })
          await allSeen
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
