import type { StandardSchemaV1 } from '@standard-schema/spec'

/** The vendor of the schemas that `knownSchema` makes: it tells them apart without loading its code and that of its validator. */
export const knownVendor = 'valkeyrie'

/** What a schema makes of a value: its output, or its complaints. */
export type Result = StandardSchemaV1.Result<unknown>

/** Holds an output against the refinements of a schema that do not belong to one of its parts. */
export type Check = (output: unknown) => Result | Promise<Result>

/** How a schema makes outputs of what it takes, part by part, as far as its library tells. `schema` takes inputs of the part. */
export type Anatomy =
  | Leaf
  | Codec
  | Transform
  | Opaque
  | Maybe
  | ObjectAnatomy
  | ListAnatomy
  | RecordAnatomy
  | CollectionAnatomy
  | Choice
  | All
  | Checked
  | Lazy

/** A schema that needs no taking apart: it leaves its own outputs as they are. */
export interface Leaf {
  readonly type: 'leaf'
  readonly schema: StandardSchemaV1
  /** What its outputs are held against. */
  readonly output: StandardSchemaV1
  /** It changes nothing at all. */
  readonly exact: boolean
  /** It takes every one of its outputs: `z.string().min(5).trim()` does not. */
  readonly closed: boolean
}

/** A transform that can be turned round. */
export interface Codec {
  readonly type: 'codec'
  readonly schema: StandardSchemaV1
  readonly output: Anatomy
  /** An input that gives this output. */
  readonly encode: (output: unknown) => Result | Promise<Result>
}

/** A transform that cannot be turned round. `output` is what follows it, `null` if that is nothing. */
export interface Transform {
  readonly type: 'transform'
  readonly schema: StandardSchemaV1
  readonly output: Anatomy | null
}

/** A schema of a library that tells nothing of it. */
export interface Opaque {
  readonly type: 'opaque'
  readonly schema: StandardSchemaV1
}

/** Inner, or one of the empty values: those the schema itself leaves, replaces by a default, or refuses. */
export interface Maybe {
  readonly type: 'maybe'
  readonly schema: StandardSchemaV1
  readonly empty: readonly (undefined | null)[]
  readonly inner: Anatomy
  /** It may give something else for an empty value. */
  readonly substitutes: boolean
}

export interface ObjectAnatomy {
  readonly type: 'object'
  readonly schema: StandardSchemaV1
  readonly fields: ReadonlyMap<string, Anatomy>
  /** The fields that may be left out, where their own anatomy does not say so, and the input that then stands for them. */
  readonly optional: ReadonlyMap<string, (() => unknown) | null>
  /** What becomes of other fields. */
  readonly rest: Rest
  /** The names that a library leaves out wherever others are kept, as they could change a prototype. */
  readonly dropped: readonly string[]
}

export type Rest = Anatomy | 'drop' | 'keep' | 'refuse'

/** An array: the first items one by one, then the rest; `null` if there is none. */
export interface ListAnatomy {
  readonly type: 'list'
  readonly schema: StandardSchemaV1
  readonly items: readonly Anatomy[]
  readonly rest: Anatomy | null
}

/** An object with any names. */
export interface RecordAnatomy {
  readonly type: 'record'
  readonly schema: StandardSchemaV1
  readonly key: Anatomy
  readonly value: Anatomy
  /** As of an object. */
  readonly dropped: readonly string[]
}

/** A Set, or a Map, which has keys too. */
export interface CollectionAnatomy {
  readonly type: 'collection'
  readonly schema: StandardSchemaV1
  readonly key: Anatomy | null
  readonly value: Anatomy
}

/** One of several. */
export interface Choice {
  readonly type: 'choice'
  readonly schema: StandardSchemaV1
  readonly options: readonly Anatomy[]
}

/** Each of several, with their outputs merged. */
export interface All {
  readonly type: 'all'
  readonly schema: StandardSchemaV1
  readonly parts: readonly Anatomy[]
}

/** Refinements of an output that is made of parts. */
export interface Checked {
  readonly type: 'checked'
  readonly schema: StandardSchemaV1
  readonly inner: Anatomy
  readonly check: Check
}

/** A schema that may be a part of itself. */
export interface Lazy {
  readonly type: 'lazy'
  readonly schema: StandardSchemaV1
  readonly get: () => Anatomy
}

/** What becomes of a field that an object does not name. */
export function restOf({ rest, dropped }: ObjectAnatomy, name: string): Rest {
  return rest !== 'refuse' && dropped.includes(name) ? 'drop' : rest
}

/** A part that a schema leaves as it is. */
export function exactLeaf(schema: StandardSchemaV1): Leaf {
  return { type: 'leaf', schema, output: schema, exact: true, closed: true }
}

/** Whether a schema changes nothing: its outputs are the inputs that it takes. */
export function isExact(anatomy: Anatomy): boolean {
  return every(anatomy, exactParts, (part) =>
    part.type === 'leaf' ? part.exact : isTakenBack(part) && !substitutes(part),
  )
}

/** Whether a schema takes each of its outputs and gives it back as it is. */
export function isClosed(anatomy: Anatomy): boolean {
  return every(anatomy, closedParts, (part) => (part.type === 'leaf' ? part.closed : isTakenBack(part)))
}

/** Whether an output can be turned into an input again. */
export function isReversible(anatomy: Anatomy): boolean {
  return every(anatomy, reversibleParts, (part) => part.type === 'codec' || isTakenBack(part))
}

function substitutes(part: Anatomy): boolean {
  if (part.type === 'maybe') return part.substitutes
  return part.type === 'object' && [...part.optional.values()].some((input) => input !== null)
}

function isTakenBack({ type }: Anatomy): boolean {
  return type !== 'codec' && type !== 'transform' && type !== 'opaque'
}

const exactParts = new WeakMap<Anatomy, boolean>()
const closedParts = new WeakMap<Anatomy, boolean>()
const reversibleParts = new WeakMap<Anatomy, boolean>()

const mostParts = 10_000

/** Whether something holds of all parts of a schema, which may be parts of themselves. */
function every(
  anatomy: Anatomy,
  known: WeakMap<Anatomy, boolean>,
  holds: (part: Anatomy) => boolean,
): boolean {
  const before = known.get(anatomy)
  if (before !== undefined) return before
  const parts = new Set<Anatomy>([anatomy])
  for (const part of parts) {
    // A getter may make a new part at each call.
    if (parts.size > mostParts) return false
    // A part whose anatomy is still being made tells nothing yet.
    if (part.type === 'lazy' && part.get() === part) return false
    if (!holds(part)) {
      known.set(anatomy, false)
      return false
    }
    for (const inner of partsOf(part)) parts.add(inner)
  }
  known.set(anatomy, true)
  return true
}

function partsOf(anatomy: Anatomy): readonly Anatomy[] {
  switch (anatomy.type) {
    case 'leaf':
    case 'transform':
    case 'opaque':
      return []
    case 'codec':
      return [anatomy.output]
    case 'maybe':
    case 'checked':
      return [anatomy.inner]
    case 'object':
      return typeof anatomy.rest === 'string'
        ? [...anatomy.fields.values()]
        : [...anatomy.fields.values(), anatomy.rest]
    case 'list':
      return anatomy.rest === null ? anatomy.items : [...anatomy.items, anatomy.rest]
    case 'record':
      return [anatomy.key, anatomy.value]
    case 'collection':
      return anatomy.key === null ? [anatomy.value] : [anatomy.key, anatomy.value]
    case 'choice':
      return anatomy.options
    case 'all':
      return anatomy.parts
    case 'lazy':
      return [anatomy.get()]
  }
}
