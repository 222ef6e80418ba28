import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { IdOf, KeyOf } from '../../key/pattern.types.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { Leaf } from '../../value/leaf.types.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>
type Input<D extends AnyDefinition> = StandardSchemaV1.InferInput<D['schema']>

/** The arguments that name one row: the id, or none where the pattern has no wildcard. */
export type IdArguments<D extends AnyDefinition> =
  IdOf<D['pattern']> extends undefined ? readonly [] : readonly [id: IdOf<D['pattern']>]

/** A row by its parts: its id, its key, its value. */
export interface Row<Id, K, Value> {
  /** Its id, which fills the wildcards of the pattern: one part for one, a tuple for several, `undefined` for none. */
  readonly id: Id
  /** Its key. */
  readonly key: K
  /** The stored value, which its schema has output. */
  value: Value
  /** The versionstamp of the commit that wrote it: 20 lower-case hex digits. */
  readonly versionstamp: string
  /** When it expires, in milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null
}

/** A row with only the fields that `columns` chooses. */
export interface ChosenRow<Id, K, Value> extends Omit<Row<Id, K, Value>, 'value'> {
  /** The chosen fields of its value. */
  readonly value: Value
}

/** The result of reading an id without a row. */
export interface MissingRow<Id, K> {
  /** The id that you asked for. */
  readonly id: Id
  /** Its key. */
  readonly key: K
  /** There is no value. */
  readonly value: null
  /** Nothing was written. */
  readonly versionstamp: null
  /** Nothing expires. */
  readonly expiresAt: null
}

/** A row, as a read of a repository returns it. In a unit of work, assigning to `value` writes it. */
export type RepositoryEntry<D extends AnyDefinition> = Row<IdOf<D['pattern']>, KeyOf<D['pattern']>, Output<D>>

/** A row that may be missing, by its parts: its value, versionstamp and expiry are then null. */
export type RowMaybe<Id, K, Value> = Row<Id, K, Value> | MissingRow<Id, K>

/** A row that may be missing: its value, versionstamp and expiry are then null. */
export type RepositoryEntryMaybe<D extends AnyDefinition> = RowMaybe<
  IdOf<D['pattern']>,
  KeyOf<D['pattern']>,
  Output<D>
>

/**
 * How `update` changes the stored value. Either a patch of some of its fields (shallow: a field is replaced as a whole): each is
 * an input of the schema, `{ increment }` or `{ decrement }` for a number, or `undefined` for a field that stays as it is. Or a
 * function from the stored value to the new one, both outputs of the schema.
 */
export type Update<D extends AnyDefinition> =
  | ((value: Output<D>) => UpdatedValue<D> | Promise<UpdatedValue<D>>)
  | (Input<D> extends object
      ? Output<D> extends object
        ? [Exclude<Output<D>, Leaf>] extends [never]
          ? { error: 'only the fields of an object can be patched: pass a function' }
          : Patch<Exclude<Input<D>, Leaf>, Output<D>>
        : { error: 'only the fields of an object can be patched: pass a function' }
      : { error: 'only the fields of an object can be patched: pass a function' })

type Patch<In, Out> = {
  readonly [Field in keyof In]?: In[Field] | IncrementOf<FieldOf<Out, Field>> | undefined
}

/** What a field is in those members of a union that have it. */
type FieldOf<Out, Field> = Out extends unknown ? (Field extends keyof Out ? Out[Field] : never) : never

/** Excludes `any`, and fields that are always missing. */
type IncrementOf<V> = 0 extends 1 & V
  ? never
  : [NonNullable<V>] extends [never]
    ? never
    : [NonNullable<V>] extends [number]
      ? Increment<number>
      : [NonNullable<V>] extends [bigint]
        ? Increment<bigint>
        : never

/**
 * In a patch, what to add to or subtract from a field of numbers or bigints. A field that is missing or null counts as 0. If the
 * field may hold an object, an object in the patch is its new value.
 */
export type Increment<N extends number | bigint> =
  | { readonly increment: N; readonly decrement?: never }
  | { readonly decrement: N; readonly increment?: never }

/** An output; or an input, if the schema accepts its outputs and only fills in defaults. */
type UpdatedValue<D extends AnyDefinition> = Output<D> extends Input<D> ? Input<D> : Output<D>
