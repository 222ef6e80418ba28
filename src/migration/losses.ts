import { pathText } from '../catalog/value-change.ts'
import { dialects } from '../driver/dialects.ts'
import type { FieldLoss, MigrationLoss } from '../driver/sqlite/migrations/folder.ts'
import { MigrationDatabase } from '../driver/sqlite/migrations/migration-database.ts'
import { MigrationError } from '../errors.ts'
import type { CollectionComparison } from './compare-collections.ts'

/** What stored values would lose. */
export function lossesOf({ kept }: CollectionComparison): FieldLoss[] {
  return kept.flatMap(({ last, changes }) =>
    changes.flatMap((change) =>
      change.type === 'remove' ? [{ collection: last.name, path: change.was }] : [],
    ),
  )
}

/** Says what would be lost, in how many rows of the database, and what looks like a rename instead. */
export async function lossError(
  losses: readonly MigrationLoss[],
  undecided: readonly string[],
  database: string | undefined,
): Promise<MigrationError> {
  const rows = database === undefined ? null : await countLosses(losses, database)
  const lost = losses.map((loss, at) => {
    const count = rows?.[at] ?? null
    return `${lossText(loss)}${count === null ? '' : ` (${rowsText(count)})`}`
  })
  const count = rows === null ? ' Name the database with --database to see in how many rows.' : ''
  const renames = undecided.map((text) => `\n  --rename ${text}`).join('')
  return new MigrationError(
    `Stored values would lose ${lost.join(', ')}: agree with --accept-data-loss.${count}${renames && `\nWhat looks like another name for something:${renames}`}`,
  )
}

async function countLosses(losses: readonly MigrationLoss[], database: string): Promise<(number | null)[]> {
  const db = await MigrationDatabase.open(database, true)
  try {
    return losses.map((loss) => countLoss(db, loss))
  } finally {
    db.close()
  }
}

/** How many rows have something to lose; `null` for a field whose name SQL has no path for. */
export function countLoss(db: MigrationDatabase, loss: MigrationLoss): number | null {
  if ('table' in loss) return db.countColumn(loss.table, loss.column)
  const field = dialects.sqlite.fieldPath(loss.path)
  return field === null ? null : db.countField(loss.collection, field)
}

/** `users.address.fax`, `notes.body` */
export function lossText(loss: MigrationLoss): string {
  const names = 'table' in loss ? [loss.table, loss.column] : [loss.collection, pathText(loss.path)]
  return names.filter((name) => name !== null).join('.')
}

/** `1 row`, `2 rows` */
export function rowsText(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`
}
