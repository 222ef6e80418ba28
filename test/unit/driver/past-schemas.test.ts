import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Catalog } from '../../../src/catalog/catalog.ts'
import { replacedBy } from '../../../src/catalog/replacement.ts'
import { type Migration, migrationOf } from '../../../src/driver/migration.ts'
import { pastSchemas, takenPastSchemas } from '../../../src/driver/past-schemas.ts'
import { parsePatternText } from '../../../src/key/pattern-text.ts'
import { accepts, sameValues } from '../../../src/schema/accepts.ts'
import type { JsonSchema } from '../../../src/schema/json-schema.ts'
import { jsonSchemaOf } from '../../../src/schema/json-schema.ts'

const plain = (schema: z.ZodType) => JSON.parse(JSON.stringify(jsonSchemaOf(schema))) as JsonSchema
/** No two accept the same values; some accept everything that others do. */
const schemas = [
  z.object({ name: z.string() }),
  z.object({ name: z.string(), age: z.int().optional() }),
  z.object({ name: z.string(), age: z.int().optional(), fax: z.string().optional() }),
  z.object({ fullName: z.string() }),
  z.object({ fullName: z.string().max(9) }),
  z.object({ name: z.union([z.string(), z.int()]) }),
].map(plain)
const pattern = { users: '["users","*"]', notes: '["notes","*"]' }
type Name = keyof typeof pattern

/** What a release declares: a schema for each collection, `null` if it gives no JSON Schema, and nothing if it lacks the collection. */
type Release = { readonly [name in Name]: JsonSchema | null | undefined }

const ofCollection = fc.option(fc.option(fc.constantFrom(...schemas), { freq: 9 }), {
  nil: undefined,
  freq: 6,
})
const release: fc.Arbitrary<Release> = fc.record({ users: ofCollection, notes: ofCollection })
const folder = fc.array(release, { minLength: 1, maxLength: 8 })

const tagOf = (at: number) => `${at}`
const collectionsOf = (of: Release) =>
  (Object.keys(pattern) as Name[]).flatMap((name) => {
    const schema = of[name]
    return schema === undefined ? [] : [{ name, pattern: pattern[name], schema, indexes: [] }]
  })
const migrationsOf = (releases: readonly Release[]): Migration[] =>
  releases.map((of, at) =>
    migrationOf(tagOf(at), at + 1, '', { collections: collectionsOf(of), steps: [], losses: [] }),
  )
const declared = (name: Name, schema: object | null) => ({
  name,
  pattern: parsePatternText(pattern[name]),
  schema,
  indexes: [],
  references: {},
})
const catalogOf = (of: Release, past: Catalog['past']): Catalog => ({
  version: 1,
  past,
  collections: collectionsOf(of).map(({ name, schema }) => ({
    ...declared(name, schema),
    migrated: 0,
  })),
})

const fits = (now: JsonSchema | null | undefined, before: JsonSchema | null) =>
  now !== undefined && (now === null || before === null || accepts(now, before))

/** The migration since which a schema that some release had no longer fits, by definition. */
function replacement(releases: readonly Release[], name: Name, schema: JsonSchema | null): string | null {
  const first = releases.findIndex((of) => of[name] === schema)
  const lastFit = releases.findLastIndex((of) => fits(of[name], schema))
  return first === -1 || lastFit === releases.length - 1 ? null : tagOf(lastFit + 1)
}

/** Applies migrations in order; `forgets`: the one before which the database loses its record. */
function applied(releases: readonly Release[], forgets: ReadonlySet<number> = new Set()): Catalog {
  const migrations = migrationsOf(releases)
  let catalog: Catalog = { version: 0, collections: [], past: [] }
  for (const [at, migration] of migrations.entries()) {
    const before = forgets.has(at) ? { ...catalog, past: [] } : catalog
    catalog = catalogOf(releases[at]!, pastSchemas(migrations, migration, before))
  }
  return catalog
}

const verdicts = (catalog: Catalog) =>
  (Object.keys(pattern) as Name[]).flatMap((name) =>
    [...schemas, null].map((schema) => replacedBy(declared(name, schema), catalog)),
  )

describe('whatever migrations a database has had', () => {
  test('a schema counts as replaced if one of them had it and the last one does not accept all of its values', () => {
    fc.assert(
      fc.property(folder, (releases) => {
        const expected = (Object.keys(pattern) as Name[]).flatMap((name) =>
          [...schemas, null].map((schema) => replacement(releases, name, schema)),
        )
        expect(verdicts(applied(releases))).toEqual(expected)
      }),
    )
  })

  test('the folder supplies what the database has forgotten, or what a release that keeps no record has done', () => {
    fc.assert(
      fc.property(folder, fc.uniqueArray(fc.nat(8)), (releases, forgets) => {
        expect(verdicts(applied(releases, new Set(forgets)))).toEqual(verdicts(applied(releases)))
      }),
    )
  })

  test('a database that `baseline` has marked knows the same as one that applied them', () => {
    fc.assert(
      fc.property(folder, release, (releases, declares) => {
        const past = takenPastSchemas(migrationsOf(releases), catalogOf(declares, []))
        expect(verdicts(catalogOf(declares, past))).toEqual(verdicts(applied(releases)))
      }),
    )
  })

  test('what programs had declared is replaced together with what the migrations had', () => {
    fc.assert(
      fc.property(folder, release, release, (releases, declares, next) => {
        const before = catalogOf(declares, applied(releases).past)
        const all = migrationsOf([...releases, next])
        const after = catalogOf(next, pastSchemas(all, all.at(-1)!, before))
        for (const name of Object.keys(pattern) as Name[]) {
          const schema = declares[name]
          const isTheirs = [...releases, next].some((of) => of[name] !== undefined)
          if (schema !== undefined)
            expect(replacedBy(declared(name, schema), after) !== null).toBe(
              isTheirs && !fits(next[name], schema),
            )
        }
      }),
    )
  })

  test('no schema is stored twice', () => {
    fc.assert(
      fc.property(folder, (releases) => {
        const { past } = applied(releases)
        expect(new Set(past.map(({ name, schema }) => JSON.stringify([name, schema]))).size).toBe(past.length)
      }),
    )
  })
})

describe('a schema accepts the same values as itself', () => {
  const same = (a: JsonSchema, b: JsonSchema) => sameValues(a, b) && sameValues(b, a)

  test('in whatever order its fields, values and members stand', () => {
    const one = plain(z.object({ a: z.enum(['x', 'y']), b: z.union([z.int(), z.null()]) }))
    const other = plain(z.object({ b: z.union([z.null(), z.int()]), a: z.enum(['y', 'x']) }))
    expect(same(one, other)).toBe(true)
    for (const [a, b] of fc.sample(fc.tuple(fc.constantFrom(...schemas), fc.constantFrom(...schemas)), 50))
      expect(same(a, b)).toBe(a === b)
  })

  test('whatever pattern its library writes for a format, and whatever annotations it adds', () => {
    const of = (email: object) => ({ type: 'object', properties: { email }, required: ['email'] })
    const one = of({ type: 'string', format: 'email', pattern: '^a$' })
    expect(same(one, of({ type: 'string', format: 'email', pattern: '^b$', title: 'Mail' }))).toBe(true)
    expect(same(one, of({ type: 'string', format: 'email' }))).toBe(false)
    expect(same(one, of({ type: 'string', pattern: '^a$' }))).toBe(false)
    const text = plain(z.iso.datetime())
    expect(same(text, plain(z.date()))).toBe(false)
  })
})
