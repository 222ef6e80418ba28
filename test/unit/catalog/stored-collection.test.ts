import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Collection, PastSchema } from '../../../src/catalog/catalog.ts'
import {
  catalogOf,
  DamagedCollection,
  storedCollection,
  storedPastSchema,
} from '../../../src/catalog/stored-collection.ts'
import type { Pattern } from '../../../src/key/pattern.types.ts'

const users: Collection = {
  name: 'users',
  pattern: ['users', '*'],
  schema: { type: 'object' },
  indexes: [{ fields: ['email'], unique: true }],
  references: { team: 'teams' },
}
const row = { ...storedCollection(users), version: 7, migrated: 3 }
const older = { name: 'users', pattern: '["users","*"]', schema: null, version: 7 }

const name = fc.string({ minLength: 1 })
const index = fc.record({ fields: fc.array(name, { minLength: 1 }), unique: fc.boolean() })
const part = fc.oneof(
  fc.constantFrom('a', 'b'),
  fc.bigInt(),
  fc.boolean(),
  fc.double({ noNaN: true }).map((n) => n + 0),
)
const collection: fc.Arbitrary<Collection> = fc.record({
  name,
  pattern: fc.tuple(part, fc.constant('*')) as unknown as fc.Arbitrary<Pattern>,
  schema: fc.option(fc.constant({ type: 'object', properties: {} })),
  indexes: fc.array(index),
  references: fc.dictionary(
    name.filter((it) => it !== '__proto__'),
    name,
  ),
})

test('a stored collection gives what was declared', () => {
  fc.assert(
    fc.property(collection, fc.nat(), (declared, version) => {
      const catalog = catalogOf(
        [{ ...storedCollection(declared), version: version + 1, migrated: null }],
        [],
        [],
      )
      expect(catalog.version).toBe(version + 1)
      expect(catalog.collections).toEqual([
        {
          ...declared,
          indexes: declared.indexes.map((it) => ({ ...it, built: false, ordersBigints: false })),
          migrated: 0,
        },
      ])
    }),
  )
})

describe('the indexes of a collection', () => {
  const built = { collection: 'users', fields: ['email'], unique: true, ordersBigints: false }
  const age = { collection: 'users', fields: ['age'], unique: false, ordersBigints: true }

  test('are the declared ones, built or not, and others that exist', () => {
    const [known] = catalogOf([row], [age], []).collections
    expect(known!.indexes).toEqual([
      { fields: ['email'], unique: true, built: false, ordersBigints: false },
      { fields: ['age'], unique: false, built: true, ordersBigints: true },
    ])
    expect(catalogOf([row], [built], []).collections[0]!.indexes).toMatchObject([{ built: true }])
    expect(catalogOf([row], [{ ...built, collection: 'posts' }], []).collections[0]!.indexes).toMatchObject([
      { built: false },
    ])
  })

  test('are the existing ones, if an older release has stored none', () => {
    expect(catalogOf([older], [built], []).collections).toMatchObject([
      { indexes: [{ fields: ['email'], built: true }], references: {}, migrated: 0 },
    ])
  })
})

test.each([
  [{ ...row, name: 7 }, '7', 'its name is not text'],
  [{ ...row, pattern: '[' }, 'users', 'its pattern cannot be read'],
  [{ ...row, schema: '[]' }, 'users', 'its schema cannot be read'],
  [{ ...row, indexes: '[{"fields":"email"}]' }, 'users', 'its indexes cannot be read'],
  [{ ...row, references: '{"team":1}' }, 'users', 'its references cannot be read'],
  [{ ...row, version: -1 }, 'users', 'its version is not a version'],
  [{ ...row, migrated: 1.5 }, 'users', 'its last migration is not a number'],
])('a damaged row is reported: %#', (damaged, collection, message) => {
  const read = () => catalogOf([damaged], [], [])
  expect(read).toThrow(DamagedCollection)
  expect(read).toThrow(expect.objectContaining({ collection, message }))
})

test('two collections of one pattern are reported', () => {
  const read = () => catalogOf([row, { ...row, name: 'people' }], [], [])
  expect(read).toThrow(
    expect.objectContaining({ collection: 'users', message: 'its pattern is that of people' }),
  )
})

describe('a past schema', () => {
  const kept: PastSchema[] = [
    { name: 'users', pattern: '["users","*"]', schema: { type: 'object' }, replacedBy: '0001_users' },
    { name: 'users', pattern: '["users","*"]', schema: null, replacedBy: null },
  ]

  test('is what was stored', () => {
    expect(catalogOf([row], [], kept.map(storedPastSchema)).past).toEqual(kept)
  })

  test.each([
    [['users', '["users","*"]', '{', null]],
    [['users', '["users","*"]', '[]', null]],
    [['users', '["users","*"]', 7, null]],
    [['users', null, null, null]],
    [[null, '["users","*"]', null, null]],
    [['users', '["users","*"]', null, 7]],
    [[]],
  ])('that is damaged is reported: %#', (damaged) => {
    const read = () => catalogOf([row], [], [damaged])
    expect(read).toThrow(DamagedCollection)
    expect(read).toThrow(expect.objectContaining({ mend: 'delete this row of kv_past_schemas' }))
  })
})
