import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'

export type Library = 'Zod' | 'Valibot' | 'ArkType'

export type KindName =
  | 'no transform'
  | 'trim, lower case'
  | 'coerce'
  | 'default'
  | 'catch'
  | 'codec'
  | 'one-way, of one type'
  | 'one-way, of one type, then a schema'
  | 'one-way, to another type'
  | 'one-way, to another type, then a schema'

/** The schema of a field, an input that it takes, and its output. */
export interface Kind {
  readonly library: Library
  readonly name: KindName
  // biome-ignore lint/suspicious/noExplicitAny: the schemas of three libraries, put together in tests
  readonly schema: any
  readonly input: unknown
  readonly output: unknown
  /** Another input, and what is made of it. */
  readonly nextInput: unknown
  readonly nextOutput: unknown
  /** What a program that changes a value may put there, where that is another than `nextOutput`. */
  readonly given?: unknown
  /** No output of the schema. */
  readonly wrong: unknown
}

const isoDate = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
})

const plain = { input: 'a', output: 'a', nextInput: 'b', nextOutput: 'b', wrong: 5 }
const text = { input: ' A ', output: 'a', nextInput: ' B ', nextOutput: 'b', given: ' B ', wrong: 5 }
const filled = { input: undefined, output: 'd', nextInput: 'x', nextOutput: 'x', wrong: undefined }
const caught = { input: 'x', output: 0, nextInput: 5, nextOutput: 5, wrong: 'x' }
const cents = { input: 2, output: 200, nextInput: 3, nextOutput: 300, wrong: 'x' }
const parsed = { input: '5', output: 5, nextInput: '6', nextOutput: 6, wrong: '5' }
const times100 = (n: number) => n * 100

export const kinds: readonly Kind[] = [
  { library: 'Zod', name: 'no transform', schema: z.string(), ...plain },
  { library: 'Valibot', name: 'no transform', schema: v.string(), ...plain },
  { library: 'ArkType', name: 'no transform', schema: type('string'), ...plain },

  { library: 'Zod', name: 'trim, lower case', schema: z.string().trim().toLowerCase(), ...text },
  {
    library: 'Valibot',
    name: 'trim, lower case',
    schema: v.pipe(v.string(), v.trim(), v.toLowerCase()),
    ...text,
  },
  {
    library: 'ArkType',
    name: 'trim, lower case',
    schema: type('string').pipe(
      (s) => s.trim(),
      (s) => s.toLowerCase(),
    ),
    ...text,
  },

  { library: 'Zod', name: 'coerce', schema: z.coerce.number(), ...parsed, given: '6' },

  { library: 'Zod', name: 'default', schema: z.string().default('d'), ...filled },
  { library: 'Valibot', name: 'default', schema: v.optional(v.string(), 'd'), ...filled },
  { library: 'ArkType', name: 'default', schema: type('string').default('d'), ...filled },

  { library: 'Zod', name: 'catch', schema: z.number().catch(0), ...caught },
  { library: 'Valibot', name: 'catch', schema: v.fallback(v.number(), 0), ...caught },

  {
    library: 'Zod',
    name: 'codec',
    schema: isoDate,
    input: '2024-01-02T00:00:00Z',
    output: new Date('2024-01-02'),
    nextInput: '2025-01-02T00:00:00Z',
    nextOutput: new Date('2025-01-02'),
    wrong: '2024-01-02T00:00:00Z',
  },

  { library: 'Zod', name: 'one-way, of one type', schema: z.number().transform(times100), ...cents },
  {
    library: 'Valibot',
    name: 'one-way, of one type',
    schema: v.pipe(v.number(), v.transform(times100)),
    ...cents,
  },
  { library: 'ArkType', name: 'one-way, of one type', schema: type('number').pipe(times100), ...cents },

  {
    library: 'Zod',
    name: 'one-way, of one type, then a schema',
    schema: z.number().transform(times100).pipe(z.number()),
    ...cents,
  },
  {
    library: 'Valibot',
    name: 'one-way, of one type, then a schema',
    schema: v.pipe(v.number(), v.transform(times100), v.number()),
    ...cents,
  },
  {
    library: 'ArkType',
    name: 'one-way, of one type, then a schema',
    schema: type('number').pipe(times100).to('number'),
    ...cents,
  },

  { library: 'Zod', name: 'one-way, to another type', schema: z.string().transform(Number), ...parsed },
  {
    library: 'Valibot',
    name: 'one-way, to another type',
    schema: v.pipe(v.string(), v.transform(Number)),
    ...parsed,
  },
  {
    library: 'ArkType',
    name: 'one-way, to another type',
    schema: type('string').pipe((s) => Number(s)),
    ...parsed,
  },

  {
    library: 'Zod',
    name: 'one-way, to another type, then a schema',
    schema: z.string().transform(Number).pipe(z.int()),
    ...parsed,
  },
  {
    library: 'Valibot',
    name: 'one-way, to another type, then a schema',
    schema: v.pipe(v.string(), v.transform(Number), v.integer(), v.number()),
    ...parsed,
  },
  {
    library: 'ArkType',
    name: 'one-way, to another type, then a schema',
    schema: type('string.numeric.parse'),
    ...parsed,
  },
]

/** The position of the field: how its schema and its value are nested in a row. */
export interface Position {
  readonly name: string
  schema(kind: Kind): StandardSchemaV1 | null
  value(field: unknown): { readonly field?: unknown; readonly note: string }
}

// biome-ignore lint/suspicious/noExplicitAny: as above
type Wrap = Readonly<Record<Library, (schema: any) => any>>

const row: Wrap = {
  Zod: (field) => z.object({ field, note: z.string() }),
  Valibot: (field) => v.object({ field, note: v.string() }),
  ArkType: (field) => type({ field, note: 'string' }),
}

function position(name: string, wrap: Wrap, value: (field: unknown) => unknown, defaults = false): Position {
  return {
    name,
    schema: (kind) =>
      kind.name === 'default' && !defaults ? null : row[kind.library](wrap[kind.library](kind.schema)),
    value(field) {
      const inner = value(field)
      return { ...(inner === undefined ? {} : { field: inner }), note: 'n' }
    },
  }
}

export const positions: readonly Position[] = [
  position('a field', { Zod: (s) => s, Valibot: (s) => s, ArkType: (s) => s }, (it) => it, true),
  position(
    'nested',
    {
      Zod: (inner) => z.object({ inner }),
      Valibot: (inner) => v.object({ inner }),
      ArkType: (inner) => type({ inner }),
    },
    (inner) => (inner === undefined ? {} : { inner }),
    true,
  ),
  position(
    'optional',
    {
      Zod: (s) => s.optional(),
      Valibot: (s) => v.optional(s),
      ArkType: (s) => s.or('undefined'),
    },
    (it) => it,
  ),
  position(
    'in a union',
    {
      Zod: (s) => z.union([s, z.literal(false)]),
      Valibot: (s) => v.union([s, v.literal(false)]),
      ArkType: (s) => s.or('false'),
    },
    (it) => it,
  ),
  position(
    'in an array',
    { Zod: (s) => z.array(s), Valibot: (s) => v.array(s), ArkType: (s) => s.array() },
    (it) => [it],
  ),
  position(
    'in a record',
    {
      Zod: (s) => z.record(z.string(), s),
      Valibot: (s) => v.record(v.string(), s),
      ArkType: (s) => type({ '[string]': s }),
    },
    (it) => ({ key: it }),
  ),
]
