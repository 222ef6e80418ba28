import { MigrationError } from '../../../contract/errors.ts'
import { keyLabel } from '../../../key/key-label.ts'
import type { Connection } from '../server/connection.ts'
import { isUniqueViolation } from '../server/server-error.ts'
import type { ServerIndexes } from '../tables/indexes.ts'
import type { CreatedIndex } from './index-statement.ts'

const mostKeysListed = 10

/**
 * A MigrationError that names the rows because of which a statement failed and was rolled back; the error itself if there are none.
 */
export async function explainFailure(
  connection: Connection,
  indexes: ServerIndexes,
  index: CreatedIndex | null,
  statement: string,
  error: unknown,
): Promise<unknown> {
  if (index !== null) return indexes.explain(index, error)
  return isUniqueViolation(error) ? takenKeys(connection, statement, error) : error
}

/** The new keys of a statement that changes keys, if other rows already have them. */
async function takenKeys(connection: Connection, statement: string, error: unknown): Promise<unknown> {
  const [, key, rows] =
    /^UPDATE kv SET key = (.+), version = .+\n(WHERE collection = .+?);?$/.exec(statement) ?? []
  if (key === undefined || rows === undefined) return error
  const text = `select key from kv where key in (select ${key} from kv ${rows}) order by key limit ${mostKeysListed}`
  const taken = await connection.run({ text })
  return new MigrationError(
    `The rows of a changed pattern cannot get their new keys: there is already a row under ${taken.map(([it]) => keyLabel(it as Uint8Array)).join(', ')}`,
    { cause: error },
  )
}
