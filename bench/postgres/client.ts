import { on } from 'node:events'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'
import type { ServerStore } from './contender.ts'
import { serverContenders } from './contenders.ts'
import { doing, type ServerTask } from './tasks.ts'

/** What a client process is told to do: one task again and again, each time when the one before is acknowledged. */
export interface ClientOrder {
  readonly contender: string
  readonly address: string
  readonly task: ServerTask
  readonly milliseconds: number
}

/** How many operations were done, and in how many milliseconds; null where the contender cannot do it. */
export type ClientReport = { readonly operations: number; readonly milliseconds: number } | null

// Run as: node client.ts <place>, the number of the process.
const place = Number(process.argv[2])
const users = new Users(userSizes[0]!)
const stores = new Map<string, Promise<ServerStore>>()

function storeOf({ contender, address }: ClientOrder): Promise<ServerStore> {
  const name = `${contender} ${address}`
  const opened = stores.get(name) ?? serverContenders.find((it) => it.name === contender)!.open(address)
  stores.set(name, opened)
  return opened
}

async function carryOut(order: ClientOrder): Promise<ClientReport> {
  const act = doing(await storeOf(order), users, place)[order.task]
  if (act === undefined) return null
  const began = performance.now()
  const end = began + order.milliseconds
  let operations = 0
  for (let i = 0; performance.now() < end; i++) operations += await act(i)
  return { operations, milliseconds: performance.now() - began }
}

// Nobody else ends it where the measurement dies.
process.once('disconnect', () => process.exit())
process.send!('ready')
for await (const [order] of on(process, 'message')) process.send!(await carryOut(order))
