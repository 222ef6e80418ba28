import fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { assert, describe, expect, test } from 'vitest'
import type { WrittenVersion } from '../../src/driver/driver.ts'
import { encodeKey } from '../../src/key/codec.ts'
import { next } from '../conformance/watching.ts'
import { extent } from '../extent.ts'
import { engines } from './engines.ts'

/** How many characters a value has: also more than are read ahead at once. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 10, max: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(20_000, 40_000, 70_000) },
)
const place = fc.integer({ min: 0, max: 11 })
const write = fc.record({ place, size: fc.option(size, { freq: 4 }) })
const commit = fc.uniqueArray(write, { minLength: 1, maxLength: 4, selector: ({ place }) => place })
/** Commits, and how many changes are read after them. */
const step = fc.record({
  commits: fc.array(commit, { maxLength: 8 }),
  reads: fc.integer({ min: 0, max: 12 }),
})

const sum = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0)

describe.each(engines)('on $name', ({ name, place: placeOf, open }) => {
  const numRuns = name === 'sqlite' ? extent('feeds', 60, 500) : extent('feeds', 20, 150)

  test('a feed that is read between commits gives each change once, in order, and its own value while that is the newest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        const [address, options] = placeOf()
        await using db = await Valkeyrie.open(address, options)
        const reader = db.changes().getReader()
        const expected: { readonly versionstamp: string; readonly values: Map<number, string | null> }[] = []
        const newest = new Map<number, string>()
        /** The changes of the commit that is being read which have not come. */
        let rest = new Map<number, string | null>()
        const left = () => sum([rest, ...expected.map(({ values }) => values)].map(({ size }) => size))
        let at = ''
        for (const { commits, reads } of [...steps, { commits: [], reads: Number.POSITIVE_INFINITY }]) {
          for (const writes of commits) {
            const operation = db.atomic()
            const values = new Map<number, string | null>()
            for (const { place, size } of writes) {
              const value = size === null ? null : `${values.size} ${expected.length} `.padEnd(size, 'x')
              if (value === null) operation.delete([place])
              else operation.set([place], value)
              if (value !== null || newest.has(place)) values.set(place, value)
            }
            const outcome = await operation.commit()
            assert(outcome.ok)
            const { versionstamp } = outcome
            for (const [place, value] of values) {
              if (value === null) newest.delete(place)
              else newest.set(place, versionstamp)
            }
            if (values.size > 0) expected.push({ versionstamp, values })
          }
          for (let read = 0; read < reads && left() > 0; read++) {
            const { type, key, versionstamp, value, superseded } = await next(reader)
            if (rest.size === 0) {
              const commit = expected.shift()!
              at = commit.versionstamp
              rest = new Map(commit.values)
            }
            const place = key[0] as number
            const own = rest.get(place)
            expect(versionstamp).toBe(at)
            expect(rest.delete(place)).toBe(true)
            expect(type).toBe(own === null ? 'delete' : 'set')
            expect(value).toBe(superseded ? null : own)
            if (superseded) expect(newest.get(place)).not.toBe(versionstamp)
          }
        }
        await reader.cancel()
      }),
      { numRuns },
    )
  })

  test('the rows of versions are the first of those that are there, and end behind as many bytes as were asked for', async () => {
    const asked = fc.array(fc.record({ place, isOld: fc.boolean() }), { minLength: 1, maxLength: 40 })
    const stored = fc.array(fc.option(size, { freq: 4 }), { minLength: 12, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(stored, asked, fc.constantFrom(1, 50, 30_000, 65_536), async (sizes, asked, bytes) => {
        const { driver, catalog } = await open([])
        try {
          const versions: number[] = []
          for (const [place, size] of sizes.entries()) {
            const value = JSON.stringify('x'.repeat(size ?? 0))
            const set = {
              type: 'set',
              key: encodeKey([place]),
              collection: null,
              stored: { value, encoding: 0, types: null },
              expiresAt: size === null ? 1 : null,
            } as const
            const writes = [{ checks: [], mutations: [set] }]
            await driver.commit({ catalogVersion: catalog.version, writes })
            versions.push(await driver.latestVersion())
          }
          const written: WrittenVersion[] = asked.map(({ place, isOld }) => ({
            key: encodeKey([place]),
            version: versions[place]! - (isOld ? 1 : 0),
          }))
          const rows = await driver.rowsOfVersions(written, bytes)
          const wholes = asked.map(({ place, isOld }) => {
            const size = sizes[place]!
            return isOld || size === null ? null : { version: versions[place], bytes: size + 2 }
          })
          expect(rows.map((row) => row && { version: row.version, bytes: row.value.length })).toEqual(
            wholes.slice(0, rows.length),
          )
          expect(rows.length).toBeGreaterThan(0)
          const returned = wholes.slice(0, rows.length).map((row) => row?.bytes ?? 0)
          expect(sum(returned.slice(0, -1)), 'behind enough bytes').toBeLessThan(bytes)
          for (const size of returned.slice(1)) expect(size, 'a large row').toBeLessThanOrEqual(bytes)
          if (rows.length === asked.length) return
          // What an engine reads before it sees that it is not asked for counts, if it likes.
          const read = sum(asked.slice(0, rows.length).map(({ place }) => (sizes[place] ?? -2) + 2))
          const isLarge = (wholes[rows.length]?.bytes ?? 0) > bytes
          expect(read >= bytes || isLarge, 'ends too soon').toBe(true)
        } finally {
          await driver.close()
        }
      }),
      { numRuns },
    )
  })
})
