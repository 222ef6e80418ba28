import { serveParent } from '../harness/child.ts'
import type { ServerStore } from '../servers/contender.ts'
import { serverContenders, serverTasks } from '../servers/tasks.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

const users = new Users(userSizes[0]!)
const stores = new Map<string, Promise<ServerStore>>()

function storeOf(contender: string, address: string): Promise<ServerStore> {
  const name = `${contender} ${address}`
  const opened = stores.get(name) ?? serverContenders.find((it) => it.name === contender)!.open(address)
  stores.set(name, opened)
  return opened
}

const functions = {
  /**
   * As one of several processes, does one task again and again for so long, each time when the one before is acknowledged: gives the
   * operations of a millisecond, or null where the contender cannot do it.
   */
  async repeat(place: number, contender: string, address: string, task: string, milliseconds: number) {
    const act = serverTasks[task]!.of(await storeOf(contender, address), { users, place })
    if (act === undefined) return null
    const began = performance.now()
    const end = began + milliseconds
    let operations = 0
    for (let i = 0; performance.now() < end; i++) operations += await act(i)
    return operations / (performance.now() - began)
  },
}

export type ServerClient = typeof functions
serveParent(functions)
