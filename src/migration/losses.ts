import { pathText } from '../catalog/value-change.ts'
import { KvError, MigrationError } from '../contract/errors.ts'
import type { FieldLoss, MigrationLoss } from '../driver/migration.ts'
import type { CollectionComparison } from './compare-collections.ts'
import { migratorOf } from './migrator-of.ts'

/** What stored values would lose. */
export function lossesOf({ kept }: CollectionComparison): FieldLoss[] {
  return kept.flatMap(({ last, changes }) =>
    changes.flatMap((change) =>
      change.type === 'remove' ? [{ collection: last.name, path: change.was }] : [],
    ),
  )
}

/** Where to count rows. */
export interface CountedIn {
  /** A database that must exist. */
  readonly database?: string | undefined
  /** A database that may be missing or out of reach. */
  readonly presentDatabase?: string | undefined
}

/** The error that says what would be lost, in how many rows, and what may be a rename instead. */
export async function lossError(
  losses: readonly MigrationLoss[],
  undecided: readonly string[],
  { database, presentDatabase }: CountedIn,
): Promise<MigrationError> {
  const rows =
    database !== undefined
      ? await countLosses(losses, database)
      : presentDatabase !== undefined
        ? await countPresent(losses, presentDatabase)
        : null
  const lost = losses.map((loss, at) => {
    const count = rows?.[at] ?? null
    return `${lossText(loss)}${count === null ? '' : ` (${rowsText(count)})`}`
  })
  const count = rows === null ? ' Pass --database to see in how many rows.' : ''
  const renames = undecided.map((text) => `\n  --rename ${text}`).join('')
  return new MigrationError(
    `Stored values would lose ${lost.join(', ')}: to agree, pass --accept-data-loss.${count}${renames && `\nWhat looks like another name for something:${renames}`}`,
  )
}

async function countPresent(
  losses: readonly MigrationLoss[],
  database: string,
): Promise<(number | null)[] | null> {
  try {
    const { migrator, address } = await migratorOf(database)
    return (await migrator.exists(address)) ? await countLosses(losses, database) : null
  } catch (error) {
    if (error instanceof KvError) return null
    throw error
  }
}

async function countLosses(losses: readonly MigrationLoss[], database: string): Promise<(number | null)[]> {
  const { migrator, address } = await migratorOf(database)
  const db = await migrator.open(address, true)
  try {
    const counts: (number | null)[] = []
    for (const loss of losses) counts.push(await db.countLoss(loss))
    return counts
  } finally {
    await db.close()
  }
}

/** `users.address.fax`, `notes.body` */
export function lossText(loss: MigrationLoss): string {
  const names = 'table' in loss ? [loss.table, loss.column] : [loss.collection, pathText(loss.path)]
  return names.filter((name) => name !== null).join('.')
}

/** `1 row`, `2,000 rows` */
export function rowsText(count: number): string {
  return count === 1 ? '1 row' : `${count.toLocaleString('en')} rows`
}
