import type { Entry } from '../contenders/contender.ts'
import { expectEqual } from '../harness/calls.ts'
import type { Users } from '../values/users.ts'
import { byHand, upserts } from './by-hand.ts'
import type { ServerContender, ServerStore } from './contender.ts'
import { drizzleAnew } from './drizzle.ts'
import { valkeyrie } from './valkeyrie.ts'

export const serverContenders: readonly ServerContender[] = [byHand, upserts, drizzleAnew, valkeyrie]

interface ServerTask {
  /** How many times as long as by hand one client on this machine may take. */
  readonly ofByHand?: number
  /** Does it for the `i`-th time, and gives the number of operations. Nothing where the store cannot. */
  of(store: ServerStore, client: Client): ((i: number) => Promise<number>) | undefined
}

/** One of several processes: it writes users of its own, reads all, and looks at what it gets. */
interface Client {
  readonly users: Users
  readonly place: number
}

/** Of sets that are at once. */
export const atOnce = 100

export const serverTasks: Readonly<Record<string, ServerTask>> = {
  get: {
    ofByHand: 1.3,
    of: ({ get }, { users, place }) =>
      get &&
      (async (i) => {
        const index = users.read(i * 31 + place)
        expectEqual((await get(users.storedIds[index]!))?.name, users.at(index).name, 'the user')
        return 1
      }),
  },
  'page of 20': {
    ofByHand: 1.3,
    of: ({ page }) =>
      page &&
      (async (i) => {
        expectEqual((await page(20 + (i % 50))).length, 20, 'users of a page')
        return 1
      }),
  },
  set: {
    ofByHand: 1.5,
    of: (store, client) => async (i) => {
      await store.set(...ownOf(client, i))
      return 1
    },
  },
  'sets at once': {
    ofByHand: 1.6,
    of: (store, client) => async (i) => {
      await store.setsAtOnce(manyOf(client, i, atOnce))
      return atOnce
    },
  },
  'atomic of 500': {
    of: (store, client) => async (i) => {
      await store.atomic(manyOf(client, i, 500))
      return 1
    },
  },
  'unit of work': {
    ofByHand: 1.4,
    of: ({ swapAges }, { users, place }) =>
      swapAges &&
      (async (i) => {
        const [a, b] = users.pair(2 * (i * 31 + place))
        await swapAges(users.storedIds[a]!, users.storedIds[b]!)
        return 1
      }),
  },
}

const ownOf = ({ users, place }: Client, i: number): Entry => [`process-${place}-${i % 5_000}`, users.at(i)]
const manyOf = (client: Client, i: number, count: number) =>
  Array.from({ length: count }, (_, n) => ownOf(client, i * count + n))
