/**
 * Following an order until it is delivered, but no longer than one is willing to wait.
 *
 *     node examples/stream-control.ts
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { addressOf } from './address/address-of.ts'
import { waitFor } from './stream-control/wait-for.ts'

const states = ['paid', 'packed', 'sent', 'delivered'] as const
await using db = await Valkeyrie.withSchema(['orders', '*'], z.object({ state: z.enum(states) })).open(
  addressOf('orders'),
  { destroyOnClose: true },
)
const { orders } = db.repositories
await orders.insertMany([
  ['tea', { state: 'paid' }],
  ['lost', { state: 'sent' }],
])

async function carry(order: string): Promise<void> {
  for (const state of states) {
    await orders.update(order, { state })
    await delay(20)
  }
}

async function isDelivered(order: string, patience: number): Promise<boolean> {
  const delivered = await waitFor(
    (signal) => orders.watch(order, { signal }),
    ({ value }) => {
      console.log(`${order}: ${value?.state ?? 'no such order'}`)
      return value?.state === 'delivered'
    },
    patience,
  )
  return delivered !== undefined
}

const [tea] = await Promise.all([isDelivered('tea', 60_000), carry('tea')])
console.log(tea ? 'The tea has come.' : 'The tea is late.')

console.log((await isDelivered('lost', 500)) ? 'It has come.' : 'Waited for 500 ms, and gave up.')
