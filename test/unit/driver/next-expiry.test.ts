import { expect, it } from 'vitest'
import { z } from 'zod'
import { collectionOf } from '../../../src/catalog/collection-of.ts'
import type { SetMutation } from '../../../src/commit/write.ts'
import { openSqlite } from '../../../src/driver/sqlite/open.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { defineSchema } from '../../../src/schema.ts'
import { Encoding } from '../../../src/value/encoding.ts'
import { driverOptions } from '../../driver-options.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()
const later = Date.now() + 1_000_000
const stored = { value: '1', encoding: Encoding.json, types: null } as const
const collections = ['some', 'many', 'none'].map((name) =>
  collectionOf(defineSchema([name, '*'], z.int(), { name })),
)

function expiring(collection: string, place: number, expiresAt: number | null): SetMutation {
  return { type: 'set', key: encodeKey([collection, place]), collection, stored, expiresAt }
}

it('when a row of a collection expires is found in the index, however many others expire before', async () => {
  const { driver, catalog } = await openSqlite(collections, {
    ...driverOptions,
    path: path(),
    durability: 'normal',
  })
  const mutations = [
    ...Array.from({ length: 2_500 }, (_, n) => expiring('many', n, later + n)),
    ...[1_500, 2_200].map((after, n) => expiring('some', n, later + after)),
    expiring('none', 0, null),
  ]
  await driver.commit({ catalogVersion: catalog.version, writes: [{ checks: [], mutations }] })
  const times = async (collection: string) => {
    const found: (number | null)[] = []
    for (let after: number | null = later - 1; after !== null; ) {
      after = await driver.nextExpiry({ collection, after })
      found.push(after === null ? null : after - later)
    }
    return found
  }
  // After a thousand rows of others, it is asked again from there.
  expect(await times('some')).toEqual([999, 1_500, 2_200, null])
  expect(await times('none')).toEqual([999, 1_998, null])
  await driver.close()
})
