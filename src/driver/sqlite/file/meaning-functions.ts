import { QueryError, StorageError } from '../../../contract/errors.ts'
import { meaningAt } from '../../../value/type-meaning.ts'
import type { Connection } from '../module/sqlite-module.ts'

/** The SQL functions that find out what the texts of a row stand for. */
export const meaningFunctions = {
  /** `kv_meaning(types, path)`: what the text at a place stands for, see `meaningAt`; the path is escaped as in JSON. */
  meaning: 'kv_meaning',
  /** `kv_refuse(message)`: makes the query fail with this message. */
  refuse: 'kv_refuse',
} as const

/** Registers these functions on a connection. */
export function registerMeaningFunctions(connection: Connection): void {
  const options = { directOnly: true, deterministic: true }
  connection.function(meaningFunctions.meaning, options, (types, path) => {
    try {
      return meaningAt(types as string | null, unescaped(path as string))
    } catch (cause) {
      throw new StorageError('SQLITE_CORRUPT', 'The types of a value cannot be read', { cause })
    }
  })
  // Not deterministic: otherwise the engine would run it before there is a row.
  connection.function(meaningFunctions.refuse, { directOnly: true }, (message) => {
    throw new QueryError(message as string)
  })
}

function unescaped(path: string): string {
  return path.includes('\\') ? (JSON.parse(`"${path}"`) as string) : path
}
