import { DatabaseOpenError } from '../../../contract/errors.ts'
import type { CopySource } from '../../copy.ts'
import { connect } from '../file/connection.ts'
import { removeEmptyLog } from '../file/empty-log.ts'
import { isPassing, toKvError } from '../file/engine-error.ts'
import { assertShape } from '../file/file-format.ts'
import { openError } from '../file/open-error.ts'
import { retryBusy } from '../file/retry-busy.ts'
import { withModule } from '../module/open-connection.ts'
import type { Connection } from '../module/sqlite-module.ts'
import { hasTables } from '../tables/own-tables.ts'
import { FileState } from './file-state.ts'

/** Opens a file to copy its present state, on a connection of its own; others keep reading and writing. */
export async function openFileSource(path: string, busyTimeout: number): Promise<CopySource> {
  const connection = await withModule(path, () =>
    retryBusy(() => {
      const { connection } = connect({ path, readOnly: true, durability: 'normal' })
      try {
        connection.exec('BEGIN')
        assertShape(connection, path)
        if (!hasTables(connection))
          throw new DatabaseOpenError(path, 'it is not a database of valkeyrie: it lacks its tables')
        return connection
      } catch (error) {
        connection.close()
        removeEmptyLog(path)
        throw isPassing(error) ? error : toKvError(openError(path, error))
      }
    }, busyTimeout),
  )
  return new FileSource(connection, path)
}

class FileSource extends FileState implements CopySource {
  readonly #opened: Connection
  readonly #path: string

  constructor(connection: Connection, path: string) {
    super(connection)
    this.#opened = connection
    this.#path = path
  }

  async close(): Promise<void> {
    this.#opened.close()
    removeEmptyLog(this.#path)
  }
}
