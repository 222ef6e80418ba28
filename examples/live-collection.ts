/**
 * A collection of TanStack DB that follows a live query of a server.
 *
 *     node examples/live-collection.ts
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCollection, createLiveQueryCollection, eq } from '@tanstack/db'
import { Valkeyrie } from 'valkeyrie'
import { createClient } from 'valkeyrie/client'
import { liveQuery, nodeHandler, serveLive } from 'valkeyrie/http'
import { z } from 'zod'
import { addressOf } from './address/address-of.ts'
import { liveCollectionOptions } from './live-collection/collection-options.ts'

// The server.
await using db = await Valkeyrie.withSchema(
  ['tasks', '*'],
  z.object({ title: z.string(), done: z.boolean() }),
).open(addressOf('live-collection'), { destroyOnClose: true })
const { tasks } = db.repositories
await tasks.set('mow', { title: 'Mow the lawn', done: false })
await tasks.set('cat', { title: 'Feed the cat', done: true })

const live = serveLive({ tasks: liveQuery(() => tasks.watchMany()) }, { authorize: () => true })
const server = createServer(nodeHandler(live)).listen(0)
await new Promise((resolve) => server.once('listening', resolve))

// What would run in a browser.
const { port } = server.address() as AddressInfo
const client = createClient<typeof live>(`http://localhost:${port}/live`)
const collection = createCollection(liveCollectionOptions('tasks', client.watch('tasks')))
const open = createLiveQueryCollection((query) =>
  query
    .from({ task: collection })
    .where(({ task }) => eq(task.value.done, false))
    .orderBy(({ task }) => task.value.title),
)
await open.preload()
const titles = () => open.toArray.map(({ value }) => value.title).join(', ')
console.log('To do:', titles())

const { promise: both, resolve } = Promise.withResolvers<void>()
open.subscribeChanges(
  () => {
    if (titles() === 'Feed the cat, Pay the rent') resolve()
  },
  { includeInitialState: true },
)
await tasks.update('cat', { done: false })
await tasks.set('rent', { title: 'Pay the rent', done: false })
await tasks.delete('mow')
await both
console.log('To do:', titles())

client.close()
live.close()
server.close()
