import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { IdOf, PrefixIdsOf } from '../../key/pattern.types.ts'
import type { CheckedWhere, ValueWhere } from '../../query/query.types.ts'
import type { AnyDefinition, SearchedOf } from '../../schema/definition.types.ts'
import type { FieldAt, FieldPath, InstanceIn, MixedBigint, Ordered } from '../../schema/field-path.types.ts'
import type { GroupValue, InGroup } from './group-value.types.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>

type OneOrMore<Path extends string> = Path | readonly Path[]

/** The paths of fields that may be numbers, or that are bigints. */
type NumberPath<T> = NumberAt<T, FieldPath<T>>

/** The paths of fields that have an order. */
type OrderedPath<T> = OrderedAt<T, FieldPath<T>>

type OrderedAt<T, Path extends string> = Path extends unknown
  ? unknown extends FieldAt<T, Path>
    ? Path
    : [Ordered<FieldAt<T, Path>>] extends [never]
      ? never
      : Path
  : never

type NumberAt<T, Path extends string> = Path extends unknown
  ? unknown extends FieldAt<T, Path>
    ? Path
    : [Extract<FieldAt<T, Path>, number | bigint>] extends [never]
      ? never
      : [MixedBigint<FieldAt<T, Path>>] extends [never]
        ? Path
        : never
  : never

interface Comparisons<V> {
  readonly eq?: V
  readonly ne?: V
  readonly gt?: V
  readonly gte?: V
  readonly lt?: V
  readonly lte?: V
}

type Compared<V> = Comparisons<V> | V

type FigureOperand = number | bigint | string | Date

/** What a sum of a field is compared with; for a field that has none, any number, as `CheckedHaving` says what is wrong. */
type SumOperand<V> = unknown extends V
  ? number | bigint
  : [NonNullable<V>] extends [bigint]
    ? bigint
    : [Extract<V, bigint>] extends [never]
      ? number
      : number | bigint

/** What the least or greatest value of a field is compared with; for a field that has none, any operand, as above. */
type ExtremeOperand<V> = unknown extends V
  ? FigureOperand
  : [Ordered<V>] extends [never]
    ? FigureOperand
    : [InstanceIn<V>] extends [never]
      ?
          | (Extract<V, number | boolean> extends never ? never : number)
          | (Extract<V, bigint> extends never ? never : bigint)
          | (Extract<V, string | Date | URL | RegExp> extends never ? never : string)
          | Extract<V, Date>
      : FigureOperand

/**
 * Conditions on the figures of a group, such as `{ count: { gte: 2 }, max: { likes: { lt: 10 } } }`, with `eq` (or the value
 * alone), `ne`, `gt`, `gte`, `lt` and `lte`.
 */
export interface Having<T> {
  readonly count?: Compared<number>
  readonly countDistinct?: { readonly [Path in FieldPath<T>]?: Compared<number> }
  readonly sum?: { readonly [Path in FieldPath<T>]?: Compared<SumOperand<FieldAt<T, Path>>> }
  readonly avg?: { readonly [Path in FieldPath<T>]?: Compared<number> }
  readonly min?: { readonly [Path in FieldPath<T>]?: Compared<ExtremeOperand<FieldAt<T, Path>>> }
  readonly max?: { readonly [Path in FieldPath<T>]?: Compared<ExtremeOperand<FieldAt<T, Path>>> }
  readonly AND?: readonly Having<T>[]
  readonly OR?: readonly Having<T>[]
  readonly NOT?: Having<T>
}

type ByField<T> = { readonly [Path in FieldPath<T>]?: 'asc' | 'desc' }

/**
 * The figures to work out, at least one, for all rows or for each group. Fields are dotted paths, such as `'address.city'`, one
 * or an array of them; a backslash makes a dot part of a name: `'a\\.b'`.
 */
export interface AggregateQuery<D extends AnyDefinition> {
  /** Which rows: those for which it is true. Left out: all. */
  readonly where?: ValueWhere<Output<D>, IdOf<D['pattern']>> | undefined
  /** The leading ids of the rows. */
  readonly prefix?: PrefixIdsOf<D['pattern']> | undefined
  /** How many rows there are. */
  readonly count?: true | undefined
  /** How many different values each of these fields has; missing and null do not count. */
  readonly countDistinct?: OneOrMore<FieldPath<Output<D>>> | undefined
  /** The sums of these fields of numbers or bigints, without NaN; a sum of bigints is a bigint of any size. */
  readonly sum?: OneOrMore<NumberPath<Output<D>>> | undefined
  /** The averages of these fields of numbers or bigints, as numbers; without NaN. */
  readonly avg?: OneOrMore<NumberPath<Output<D>>> | undefined
  /** The least value of each of these fields; NaN, objects and arrays have no order, and are left out. */
  readonly min?: OneOrMore<OrderedPath<Output<D>>> | undefined
  /** The greatest value of each of these fields; NaN, objects and arrays are left out. */
  readonly max?: OneOrMore<OrderedPath<Output<D>>> | undefined
  /** The rows that agree in these fields are one group. */
  readonly groupBy?: OneOrMore<FieldPath<Output<D>>> | undefined
  /** Which groups: those whose figures meet the conditions. Only with `groupBy`, like `orderBy` and `limit`. */
  readonly having?: Having<Output<D>> | undefined
  /** The order of the groups, by figures and by fields of `groupBy`: `{ sum: { likes: 'desc' }, group: { city: 'asc' } }`. */
  readonly orderBy?:
    | {
        readonly count?: 'asc' | 'desc'
        readonly countDistinct?: ByField<Output<D>>
        readonly sum?: ByField<Output<D>>
        readonly avg?: ByField<Output<D>>
        readonly min?: ByField<Output<D>>
        readonly max?: ByField<Output<D>>
        readonly group?: ByField<Output<D>>
      }
    | undefined
  /** The most groups. Left out: all. */
  readonly limit?: number | undefined
}

type Paths<F> = F extends readonly (infer Path)[] ? Path : F

type Figures<T, Q> = (Q extends { readonly count: true } ? { readonly count: number } : unknown) & {
  readonly [K in keyof Q & 'countDistinct']: { readonly [Path in Paths<Q[K]> & string]: number }
} & {
  readonly [K in keyof Q & 'avg']: { readonly [Path in Paths<Q[K]> & string]: number | null }
} & {
  readonly [K in keyof Q & 'sum']: {
    readonly [Path in Paths<Q[K]> & string]:
      | (FieldAt<T, Path> extends bigint | null | undefined ? bigint : number)
      | null
  }
} & {
  readonly [K in keyof Q & ('min' | 'max')]: {
    readonly [Path in Paths<Q[K]> & string]: Extreme<FieldAt<T, Path>> | null
  }
}

/** The type of the least or greatest value of a field: values without an order are skipped. */
type Extreme<V> = unknown extends V ? V : InGroup<Ordered<V>>

/**
 * The result of an aggregate: its figures by field, null if no row has the field, such as `{ count: 2, sum: { likes: 3 } }`; with
 * `groupBy`, an array of these, each with its `group: { city: 'Paris' }`.
 */
export type AggregateResult<D extends AnyDefinition, Q> = Q extends { readonly groupBy: infer G }
  ? Grouped<D, Q, Exclude<G, undefined>> | (undefined extends G ? Figures<Output<D>, Q> : never)
  : Figures<Output<D>, Q>

type Grouped<D extends AnyDefinition, Q, G> = [G] extends [never]
  ? never
  : (Figures<Output<D>, Q> & {
      readonly group: { readonly [Path in Paths<G> & string]: GroupValue<Output<D>, Path> }
    })[]

/** `Q`, where each mistake becomes a type that says what is wrong. */
export type CheckedAggregate<D extends AnyDefinition, Q> = CheckedNames<
  Q,
  keyof AggregateQuery<D>,
  'an aggregate'
> &
  CheckedFigures<Q> &
  CheckedGroups<Q> &
  (Q extends { readonly where: infer W }
    ? { readonly where: CheckedWhere<Output<D>, W, `the values of '${D['name']}'`, SearchedOf<D>> }
    : unknown) &
  (Q extends { readonly having: infer H } ? { readonly having: CheckedHaving<Output<D>, H> } : unknown) &
  (Q extends { readonly orderBy: infer O }
    ? { readonly orderBy: CheckedMeasures<Output<D>, O, 'count' | 'group'> }
    : unknown) &
  (Q extends { readonly groupBy: infer By; readonly orderBy: { readonly group: infer G } }
    ? { readonly orderBy: { readonly group: CheckedGroupOrder<Output<D>, By, G> } }
    : unknown)

type CheckedGroupOrder<T, By, G> = {
  readonly [Path in keyof G]: Path extends Paths<By>
    ? G[Path]
    : string extends Path | Paths<By>
      ? G[Path]
      : Path extends FieldPath<T>
        ? { error: `'${Path}' is not a field of groupBy` }
        : G[Path]
}

type CheckedFigures<Q> = [keyof Q & ('count' | MeasureName)] extends [never]
  ? {
      readonly count: {
        error: 'an aggregate needs a figure: count: true, or sum, avg, min or max of a field'
      }
    }
  : unknown

type CheckedGroups<Q> = Q extends { readonly groupBy: unknown }
  ? unknown
  : 'groupBy' extends keyof Q
    ? unknown
    : {
        readonly [K in keyof Q & ('having' | 'orderBy' | 'limit')]: {
          error: `${K} needs the groups of an aggregate: name their fields in groupBy`
        }
      }

type MeasureName = 'countDistinct' | 'sum' | 'avg' | 'min' | 'max'

type CheckedHaving<T, H> = {
  readonly [K in keyof H]: K extends 'AND' | 'OR'
    ? CheckedList<T, H[K]>
    : K extends 'NOT'
      ? CheckedHaving<T, H[K]>
      : CheckedMeasures<T, Pick<H, K>, 'count'>[K]
}

type CheckedList<T, L> = { readonly [I in keyof L]: CheckedHaving<T, L[I]> }

type CheckedMeasures<T, O, Others> = {
  readonly [K in keyof O]: K extends MeasureName | (Others & 'group')
    ? { readonly [Path in keyof O[K]]: CheckedPath<T, K, Path & string, O[K][Path]> }
    : K extends Others
      ? O[K]
      : { error: `there is no figure '${K & string}' of an aggregate` }
}

type CheckedPath<T, K, Path extends string, V> = [Path] extends [FieldPath<T>]
  ? [Path] extends [
      K extends 'sum' | 'avg' ? NumberPath<T> : K extends 'min' | 'max' | 'group' ? OrderedPath<T> : Path,
    ]
    ? V
    : K extends 'sum' | 'avg'
      ? { error: `'${Path}' is neither a number nor a bigint, or a bigint among other values` }
      : {
          error: `objects, arrays, Maps, Sets and bigints among other values have no order: '${Path}' is one`
        }
  : NoField<Path>

type NoField<Path extends string> = { error: `there is no field '${Path}'` }

type CheckedNames<Q, Known, What extends string> = {
  readonly [K in Exclude<keyof Q, Known>]: { error: `there is no option '${K & string}' of ${What}` }
}
