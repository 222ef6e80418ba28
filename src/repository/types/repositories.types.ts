import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { DefinitionByName, Definitions, OutputOf } from '../../schema/registry.types.ts'
import type { Repository } from './repository.types.ts'

/** The `Repository` of a definition, with the type of its values first, so that an editor shows that first. */
export interface RepositoryOf<_Value, D extends AnyDefinition, R extends Definitions>
  extends Repository<D, R> {}

/** The reads of a repository, as the view of a snapshot has them. */
export type RepositoryView<D extends AnyDefinition, R extends Definitions = readonly []> = Pick<
  Repository<D, R>,
  | 'name'
  | 'pattern'
  | 'key'
  | 'get'
  | 'getMany'
  | 'exists'
  | 'list'
  | 'findMany'
  | 'findFirst'
  | 'findPage'
  | 'count'
  | 'aggregate'
  | 'prepare'
  | 'toSQL'
  | 'explain'
>

/** The `RepositoryView` of a definition, with the type of its values first, as `RepositoryOf` has it. */
export interface RepositoryViewOf<_Value, D extends AnyDefinition, R extends Definitions>
  extends RepositoryView<D, R> {}

/**
 * The repositories of a database by name: the `name` in the options of the schema, or the words of its pattern. Where only the
 * running program knows one of the names, any other name is of any repository.
 */
export type Repositories<R extends Definitions> = {
  readonly [D in R[number] as D['name']]: RepositoryOf<
    OutputOf<DefinitionByName<R, D['name']>>,
    DefinitionByName<R, D['name']>,
    R
  >
}

/** The views of the repositories of a snapshot, by name. */
export type RepositoryViews<R extends Definitions> = {
  readonly [D in R[number] as D['name']]: RepositoryViewOf<
    OutputOf<DefinitionByName<R, D['name']>>,
    DefinitionByName<R, D['name']>,
    R
  >
}
