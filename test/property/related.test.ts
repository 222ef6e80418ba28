import * as fc from 'fast-check'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { extent } from '../extent.ts'
import { engines } from './engines.ts'

const owner = defineSchema(['owners', '*'], z.object({ n: z.int() }), { name: 'owners' })
const thing = defineSchema(
  ['owners', '*', 'things', '*'],
  z.object({ n: z.int(), text: z.string().optional(), ok: z.boolean(), friendId: z.string().optional() }),
  { name: 'things', indexes: [{ on: 'n' }, { on: ['ok', 'text'] }], references: { friendId: owner } },
)
const part = defineSchema(['owners', '*', 'things', '*', 'parts', '*'], z.object({ n: z.int() }), {
  name: 'parts',
  indexes: [{ on: 'n' }],
})

const ids = fc.constantFrom('a', 'b', 'c', 'd')
const n = fc.integer({ min: 0, max: 3 })
const things = fc.uniqueArray(
  fc.tuple(
    ids,
    fc.nat(20),
    fc.record(
      { n, text: fc.constantFrom('', 'x', 'y'), ok: fc.boolean(), friendId: fc.constantFrom('a', 'z', '*') },
      { requiredKeys: ['n', 'ok'], noNullPrototype: true },
    ),
  ),
  { maxLength: 14, selector: ([owner, id]) => `${owner} ${id}` },
)
const parts = fc.uniqueArray(fc.tuple(ids, fc.nat(20), ids, n), {
  maxLength: 14,
  selector: ([owner, id, part]) => `${owner} ${id} ${part}`,
})
const condition = fc.oneof(
  n.map((gte) => ({ n: { gte } })),
  n.map((one) => ({ n: one })),
  fc.boolean().map((ok) => ({ ok })),
  fc.constant({ text: { isNull: true } } as const),
  fc.tuple(n, fc.boolean()).map(([lt, ok]) => ({ OR: [{ n: { lt } }, { ok, text: { gt: '' } }] })),
)
const direction = fc.constantFrom('asc' as const, 'desc' as const)
const query = fc.record(
  {
    where: condition,
    orderBy: fc.oneof(
      direction.map((n) => ({ n })),
      fc.tuple(direction, direction).map(([text, ok]) => [{ text }, { ok }]),
    ),
    limit: fc.nat(3),
    offset: fc.nat(2),
  },
  { requiredKeys: [], noNullPrototype: true },
)
const below = fc.record({ where: n.map((lte) => ({ n: { lte } })), limit: fc.nat(2) }, { requiredKeys: [] })

it.each(engines)(
  'with loads for each row what a query of its own would give, on $name',
  async ({ name, place }) => {
    const db = await Valkeyrie.withSchemas([owner, thing, part]).open(...place())
    const { owners, things: all, parts: small } = db.repositories
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(ids),
        things,
        parts,
        query,
        below,
        async (present, rows, smalls, of, ofParts) => {
          await db.clear()
          await owners.insertMany(present.map((id, i) => [id, { n: i }] as const))
          await all.insertMany(rows.map(([owner, id, value]) => [[owner, id], value] as const))
          await small.insertMany(smalls.map(([owner, id, part, n]) => [[owner, id, part], { n }] as const))
          const found = await owners.findMany({
            with: { things: { ...of, with: { parts: ofParts, friendId: true } }, parts: ofParts },
          })
          expect(found.map(({ id }) => id)).toEqual(present.toSorted())
          for (const one of found) {
            const prefix = [one.id] as const
            const own = await all.findMany({ ...of, prefix })
            expect(
              one.things.map(({ id, key, value, versionstamp, expiresAt }) => {
                return { id, key, value, versionstamp, expiresAt }
              }),
            ).toEqual(own)
            expect(one.parts).toEqual(await small.findMany({ ...ofParts, prefix }))
            for (const each of one.things) {
              expect(each.parts).toEqual(await small.findMany({ ...ofParts, prefix: each.id }))
              const { friendId = 'nobody' } = each.value
              const friend = friendId === '*' ? null : await owners.get(friendId)
              expect(each.friendId).toEqual(friend?.value ? friend : null)
            }
          }
        },
      ),
      { numRuns: name === 'sqlite' ? extent('queries', 20, 150) : extent('queries', 8, 50) },
    )
    await db.close()
  },
)
