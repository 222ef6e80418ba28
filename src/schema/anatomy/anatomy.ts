import type { StandardSchemaV1 } from '@standard-schema/spec'

/** The vendor of schemas made by `knownSchema`: recognizes them without loading their code and validator. */
export const knownVendor = 'valkeyrie'

/** The output of a schema, or its issues. */
export type Result = StandardSchemaV1.Result<unknown>

/** Checks an output against the refinements of a schema as a whole. */
export type Check = (output: unknown) => Result | Promise<Result>

/** How a schema turns inputs into outputs, part by part, as far as its library shows. `schema` takes inputs of the part. */
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

/** A schema without parts. It leaves its own outputs unchanged. */
export interface Leaf {
  readonly type: 'leaf'
  readonly schema: StandardSchemaV1
  /** The schema that checks its outputs. */
  readonly output: StandardSchemaV1
  /** Whether it changes nothing at all. */
  readonly exact: boolean
  /** Whether it accepts all of its own outputs: `z.string().min(5).trim()` does not. */
  readonly closed: boolean
}

/** A transform that can be reversed. */
export interface Codec {
  readonly type: 'codec'
  readonly schema: StandardSchemaV1
  readonly output: Anatomy
  /** An input with this output. */
  readonly encode: (output: unknown) => Result | Promise<Result>
  /** Whether it is two schemas in a row: where the second one converts, as `z.string().pipe(z.coerce.number())` does, nothing reverses that. */
  readonly joins: boolean
}

/** A transform that cannot be reversed. `output` describes its result, `null` if unknown. */
export interface Transform {
  readonly type: 'transform'
  readonly schema: StandardSchemaV1
  readonly output: Anatomy | null
}

/** A schema that its library does not describe. */
export interface Opaque {
  readonly type: 'opaque'
  readonly schema: StandardSchemaV1
}

/** `inner`, or an empty value, which the schema itself keeps, replaces with a default, or refuses. */
export interface Maybe {
  readonly type: 'maybe'
  readonly schema: StandardSchemaV1
  readonly empty: readonly (undefined | null)[]
  readonly inner: Anatomy
  /** Whether it may replace an empty value. */
  readonly substitutes: boolean
}

export interface ObjectAnatomy {
  readonly type: 'object'
  readonly schema: StandardSchemaV1
  readonly fields: ReadonlyMap<string, Anatomy>
  /** The fields that may be missing, if their own anatomy does not say so, and the input that then stands for each. */
  readonly optional: ReadonlyMap<string, (() => unknown) | null>
  /** What happens to other fields. */
  readonly rest: Rest
  /** Names that the library always drops, because they could change a prototype. */
  readonly dropped: readonly string[]
}

export type Rest = Anatomy | 'drop' | 'keep' | 'refuse'

/** An array: the first items one by one, then the rest; `null` if it allows no more. */
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
  /** As in ObjectAnatomy. */
  readonly dropped: readonly string[]
}

/** A Set, or, with keys, a Map. */
export interface CollectionAnatomy {
  readonly type: 'collection'
  readonly schema: StandardSchemaV1
  readonly key: Anatomy | null
  readonly value: Anatomy
}

/** One of several alternatives. */
export interface Choice {
  readonly type: 'choice'
  readonly schema: StandardSchemaV1
  readonly options: readonly Anatomy[]
}

/** All of several schemas, with their outputs merged. */
export interface All {
  readonly type: 'all'
  readonly schema: StandardSchemaV1
  readonly parts: readonly Anatomy[]
}

/** Refinements of an output with parts. */
export interface Checked {
  readonly type: 'checked'
  readonly schema: StandardSchemaV1
  readonly inner: Anatomy
  readonly check: Check
}

/** A schema that may contain itself. */
export interface Lazy {
  readonly type: 'lazy'
  readonly schema: StandardSchemaV1
  readonly get: () => Anatomy
}

/** What happens to a field that the schema of an object does not name. */
export function restOf({ rest, dropped }: ObjectAnatomy, name: string): Rest {
  return rest !== 'refuse' && dropped.includes(name) ? 'drop' : rest
}

/** The message of an issue without words: run in reverse, Zod gives its own none. */
export const bareMessage = 'Invalid input'

/** A schema without parts that changes nothing. */
export function exactLeaf(schema: StandardSchemaV1): Leaf {
  return { type: 'leaf', schema, output: schema, exact: true, closed: true }
}

/** Whether a schema changes nothing: its outputs equal its inputs. */
export function isExact(anatomy: Anatomy): boolean {
  return every(anatomy, exactParts, (part) =>
    part.type === 'leaf' ? part.exact : isTakenBack(part) && !substitutes(part),
  )
}

/** Whether a schema accepts each of its outputs, and returns it unchanged. */
export function isClosed(anatomy: Anatomy): boolean {
  return every(anatomy, closedParts, (part) => (part.type === 'leaf' ? part.closed : isTakenBack(part)))
}

/** Whether outputs can be turned back into inputs. */
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

/** Whether something holds for all parts of a schema, which may contain itself. */
function every(
  anatomy: Anatomy,
  known: WeakMap<Anatomy, boolean>,
  holds: (part: Anatomy) => boolean,
): boolean {
  const before = known.get(anatomy)
  if (before !== undefined) return before
  const parts = new Set<Anatomy>([anatomy])
  for (const part of parts) {
    // A getter may return a new schema at each call.
    if (parts.size > mostParts) return false
    // The anatomy of this part is still being built.
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
