import type { Entry } from '../contenders/contender.ts'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Users } from '../values/users.ts'
import type { ServerStore } from './contender.ts'

export const serverTasks = [
  'get',
  'page of 20',
  'set',
  'sets at once',
  'atomic of 500',
  'unit of work',
] as const

export type ServerTask = (typeof serverTasks)[number]

/** Of sets that are at once. */
export const atOnce = 100

/** Does a task for the `i`-th time, as one of several processes, and gives the number of operations. */
type Doing = (i: number) => Promise<number>

/** What a process does: it writes users of its own, reads all, and looks at what it gets. Undefined where the store cannot. */
export function doing(
  store: ServerStore,
  users: Users,
  place: number,
): Record<ServerTask, Doing | undefined> {
  const own = (i: number): Entry => [`process-${place}-${i % 5_000}`, users.at(i)]
  const many = (i: number, count: number) => Array.from({ length: count }, (_, n) => own(i * count + n))
  const { get, page, swapAges } = store
  return {
    get:
      get &&
      (async (i) => {
        const index = users.read(i * 31 + place)
        expectEqual((await get(users.storedIds[index]!))?.name, users.at(index).name, 'the user')
        return 1
      }),
    'page of 20':
      page &&
      (async (i) => {
        expectEqual((await page(20 + (i % 50))).length, 20, 'users of a page')
        return 1
      }),
    set: async (i) => {
      await store.set(...own(i))
      return 1
    },
    'sets at once': async (i) => {
      await store.setsAtOnce(many(i, atOnce))
      return atOnce
    },
    'atomic of 500': async (i) => {
      await store.atomic(many(i, 500))
      return 1
    },
    'unit of work':
      swapAges &&
      (async (i) => {
        const [a, b] = users.pair(2 * (i * 31 + place))
        await swapAges(users.storedIds[a]!, users.storedIds[b]!)
        return 1
      }),
  }
}
