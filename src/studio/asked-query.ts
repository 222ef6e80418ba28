import type { InspectedDatabase } from '../api/open.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import type { EngineName } from '../engines/engines.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { OpenedDatabase } from './opened-database.ts'
import { Refusal } from './refusal.ts'
import { readValueJson } from './row-json.ts'

type Repository = InspectedDatabase<EngineName>['repositories'][string]

/**
 * A query of a repository, as the page asks for it: which rows, in which order. Where its page of rows begins is passed separately.
 */
export interface AskedQuery {
  readonly where?: unknown
  readonly orderBy?: unknown
  readonly with?: unknown
  readonly columns?: unknown
  readonly prefix?: unknown
}

const names = ['where', 'orderBy', 'with', 'columns', 'prefix']

export interface Asked {
  readonly db: InspectedDatabase<EngineName>
  readonly definition: AnyDefinition
  readonly repository: Repository
  readonly query: AskedQuery
}

/** What a request asks of a repository: `{ repository, query }`, with the query as a value of `rowJson`. */
export async function askedQuery(
  opened: OpenedDatabase,
  { repository: name, query: json }: { readonly [name: string]: unknown },
): Promise<Asked> {
  const db = await opened.database()
  const definition = (await opened.definitions()).find((it) => it.name === name)
  if (definition === undefined)
    throw new Refusal(404, 'NO_REPOSITORY', `There is no repository '${String(name)}'`)
  const query = json === undefined ? {} : readValueJson(json)
  checkOptionNames(query as object, names, 'a query')
  return { db, definition, repository: db.repositories[definition.name]!, query: query as AskedQuery }
}
