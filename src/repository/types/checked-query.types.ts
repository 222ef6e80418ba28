import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CheckedColumns, CheckedOrder, CheckedWhere } from '../../query/query.types.ts'
import type { AnyDefinition, SearchedOf } from '../../schema/definition.types.ts'
import type { DefinitionByName, Definitions } from '../../schema/registry.types.ts'
import type { NestedNames, NestedQuery, Query } from './query.types.ts'

type Output<D extends AnyDefinition> = StandardSchemaV1.InferOutput<D['schema']>
type Values<D extends AnyDefinition> = `the values of '${D['name']}'`

/** `Q`, where each mistake, also in nested queries, becomes a type that says what is wrong. */
export type CheckedQuery<D extends AnyDefinition, R extends Definitions, Q> = CheckedNames<
  Q,
  keyof Query<AnyDefinition>,
  'a query'
> &
  CheckedParts<D, R, Q>

type CheckedParts<D extends AnyDefinition, R extends Definitions, Q> = (Q extends { readonly where: infer W }
  ? { readonly where: CheckedWhere<Output<D>, W, Values<D>, SearchedOf<D>> }
  : unknown) &
  (Q extends { readonly orderBy: infer O }
    ? { readonly orderBy: CheckedOrder<Output<D>, O, Values<D>> }
    : unknown) &
  (Q extends { readonly columns: infer C }
    ? { readonly columns: CheckedColumns<Output<D>, C, Values<D>> }
    : unknown) &
  (Q extends { readonly highlight: infer H } ? { readonly highlight: CheckedHighlight<D, H> } : unknown) &
  (Q extends { readonly with: infer W } ? { readonly with: CheckedWith<D, R, W> } : unknown)

type CheckedHighlight<D extends AnyDefinition, H> = H extends undefined
  ? H
  : [SearchedOf<D>] extends [never]
    ? { error: `${Values<D>} cannot be searched: declare { search: ['title'] } with the schema` }
    : H extends boolean
      ? H
      : {
          readonly [F in keyof H]: F extends SearchedOf<D>
            ? H[F]
            : { error: `'${F & string}' is not searched` }
        }

type CheckedWith<D extends AnyDefinition, R extends Definitions, W> = {
  readonly [Name in keyof W]: Name extends keyof D['references']
    ? CheckedNested<D['references'][Name], R, W[Name]>
    : Name extends NestedNames<D, R>
      ? CheckedNested<DefinitionByName<R, Name>, R, W[Name]>
      : {
          error: `'${Name & string}' is neither a repository nested under '${D['name']}' nor one of its references`
        }
}

type CheckedNested<D extends AnyDefinition, R extends Definitions, Q> = Q extends boolean | undefined
  ? Q
  : CheckedNames<Q, keyof NestedQuery<AnyDefinition, R>, 'a query on the rows that with loads'> &
      CheckedParts<D, R, Q>

type CheckedNames<Q, Known, What extends string> = {
  readonly [K in Exclude<keyof Q, Known>]: { error: `there is no option '${K & string}' of ${What}` }
}
