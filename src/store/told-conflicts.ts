import type { CheckConflict } from '../commit/write.ts'
import { CorruptKeyError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { decodeKey } from '../key/codec.ts'
import { conflicts } from '../trace/channels.ts'

interface Database {
  readonly path: string
  collectionOf(key: Key): string | null
}

/** Reports a write that met conflicts to subscribers. */
export function tellConflicts(database: Database, met: readonly CheckConflict[]): void {
  if (!conflicts.hasSubscribers) return
  const repositories = new Set(met.map(({ key }) => repositoryOf(database, key)))
  conflicts.publish({ database: database.path, keys: met.length, repositories: [...repositories] })
}

/** Also null for bytes that are not a key, as from a damaged log: listening must not change an outcome. */
function repositoryOf(database: Database, key: Uint8Array): string | null {
  try {
    return database.collectionOf(decodeKey(key))
  } catch (error) {
    if (error instanceof CorruptKeyError) return null
    throw error
  }
}
