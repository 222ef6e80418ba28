import { MigrationError } from '../../../contract/errors.ts'
import { keyLabel } from '../../../key/key-label.ts'
import { indexName } from '../../../schema/index-name.ts'
import { engineCode, isUnanswerable } from '../file/engine-error.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { isDamaged } from '../rows/damaged-rows.ts'
import { duplicatesError } from '../tables/indexes.ts'
import { kvTables } from '../tables/table.ts'

const mostKeysListed = 10

/** The engine could not read the fields of a row during a statement. Once the migration is rolled back, the rows show which one. */
export class FieldsUntold extends Error {}

/** A MigrationError that names the rows because of which a statement failed; the error itself if there are none. */
export function explainFailure(connection: Connection, statement: string, error: unknown): unknown {
  const code = engineCode(error)
  if (code === 'SQLITE_CONSTRAINT_UNIQUE') return duplicates(connection, statement, error)
  if (code === 'SQLITE_CONSTRAINT_PRIMARYKEY') return takenKeys(connection, statement, error)
  if (isUnanswerable(error)) return new FieldsUntold(undefined, { cause: error })
  return error
}

/** Reads the index from its statement: drizzle-kit may have made one that no snapshot mentions. */
function duplicates(connection: Connection, statement: string, error: unknown): unknown {
  if (!statement.startsWith('CREATE UNIQUE INDEX ')) return error
  const collection = /WHERE collection = '((?:[^']|'')*)'/.exec(statement)?.[1]?.replaceAll("''", "'")
  const paths = [...statement.matchAll(/value ->> '\$\.([^']+)'/g)].map(([, path]) =>
    path!.replaceAll('"', ''),
  )
  if (collection === undefined || paths.length === 0) return error
  // For a bigint, its integer is a column too.
  const index = { fields: [...new Set(paths)], unique: true }
  const indexed = [{ name: collection, indexes: [index] }]
  return duplicatesError(connection, kvTables(), indexed, indexName(collection, index), error)
}

/** The new keys of a statement that changes keys, if other rows already have them. */
function takenKeys(connection: Connection, statement: string, error: unknown): unknown {
  const [, key, rows] =
    /^UPDATE kv SET key = (.+), version = .+\n(WHERE collection = .+?);?$/.exec(statement) ?? []
  if (key === undefined || rows === undefined) return error
  const taken = connection
    .prepare<[], Uint8Array>(
      `SELECT key FROM kv WHERE key IN (SELECT ${key} FROM kv ${rows}) ORDER BY key LIMIT ${mostKeysListed}`,
    )
    .pluck()
    .all()
  return new MigrationError(
    `The rows of a changed pattern cannot get their new keys: there is already a row under ${taken.map(keyLabel).join(', ')}`,
    { cause: error },
  )
}

/** A MigrationError that names the rows whose fields the engine cannot read; null if there are none. */
export function damagedRows(connection: Connection, cause: unknown): MigrationError | null {
  const keys = connection
    .prepare<[], Uint8Array>(`SELECT key FROM kv WHERE ${isDamaged} ORDER BY key LIMIT ${mostKeysListed}`)
    .pluck()
    .all()
  if (keys.length === 0) return null
  return new MigrationError(
    `What is stored under ${keys.map(keyLabel).join(', ')} is not JSON: another program has written there, or the file is damaged. Write these values again, or delete them`,
    { cause },
  )
}
