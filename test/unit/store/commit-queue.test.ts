import { setImmediate as nextTurn } from 'node:timers/promises'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import type { Catalog } from '../../../src/catalog/catalog.ts'
import { Filing } from '../../../src/commit/filing.ts'
import type { AtomicWrite } from '../../../src/commit/write.ts'
import type { BatchOutcome, CommitBatch, Driver } from '../../../src/driver/driver.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { Registry } from '../../../src/schema/registry.ts'
import { CommitQueue } from '../../../src/store/commit-queue.ts'

const users = defineSchema(['users', '*'], z.object({ name: z.string() }))

const catalogOf = (version: number, name: string): Catalog => ({
  version,
  past: [],
  collections: [{ name, pattern: ['users', '*'], schema: null, indexes: [], references: {}, migrated: 0 }],
})

const writeOf = (id: string): AtomicWrite => ({
  checks: [],
  mutations: [{ type: 'delete', key: encodeKey(['users', id]) }],
})

it('a write that was queued while others changed the catalogue is filed again', async () => {
  const asked: CommitBatch[] = []
  const { promise: changed, resolve: change } = Promise.withResolvers<void>()
  const commit = async (batch: CommitBatch): Promise<BatchOutcome> => {
    asked.push(batch)
    await changed
    return { type: 'stale', catalog: catalogOf(2, 'people') }
  }
  const filing = new Filing(catalogOf(1, 'users'), new Registry().add(users))
  const queue = new CommitQueue({ commit } as Partial<Driver> as Driver, filing, ':memory:')
  const refused = { code: 'MIGRATION', repository: 'users' }
  const first = expect(queue.submit(writeOf('first'))).rejects.toMatchObject(refused)
  await nextTurn()
  expect(asked).toHaveLength(1)
  const second = expect(queue.submit(writeOf('second'))).rejects.toMatchObject(refused)
  await nextTurn()
  change()
  await Promise.all([first, second])
  expect(asked).toHaveLength(1)
})
