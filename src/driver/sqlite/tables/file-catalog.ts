import type { Catalog } from '../../../catalog/catalog.ts'
import { DatabaseOpenError } from '../../../contract/errors.ts'
import { connect } from '../file/connection.ts'
import { removeEmptyLog } from '../file/empty-log.ts'
import { isPassing, toKvError } from '../file/engine-error.ts'
import { assertShape } from '../file/file-format.ts'
import { openError } from '../file/open-error.ts'
import { retryBusy } from '../file/retry-busy.ts'
import { withModule } from '../module/open-connection.ts'
import type { Connection, ModuleName } from '../module/sqlite-module.ts'
import { readCatalog } from './catalog.ts'
import { hasOwnTables, hasTables } from './own-tables.ts'

/**
 * The catalogue of a file, which must be one of this library. `toWrite`: with all columns that writes need. Rejects with
 * DatabaseOpenError, and with DatabaseBusyError after `busyTimeout` milliseconds.
 */
export async function readFileCatalog(
  path: string,
  toWrite: boolean,
  busyTimeout: number,
  engine?: ModuleName,
): Promise<Catalog> {
  const read = () => {
    const { connection } = connect({ path, readOnly: true, durability: 'normal', engine })
    try {
      assertShape(connection, path)
      assertOwn(connection, path, toWrite)
      return readCatalog(connection)
    } catch (error) {
      throw isPassing(error) ? error : toKvError(openError(path, error))
    } finally {
      connection.close()
      removeEmptyLog(path)
    }
  }
  return withModule(path, () => retryBusy(read, busyTimeout), engine)
}

function assertOwn(connection: Connection, path: string, toWrite: boolean): void {
  if (!hasTables(connection))
    throw new DatabaseOpenError(path, 'it is not a database of valkeyrie: it lacks its tables')
  if (toWrite && !hasOwnTables(connection)) {
    throw new DatabaseOpenError(
      path,
      'an older release wrote it: open it once with its schemas, or inspect it with readOnly: true',
    )
  }
}
