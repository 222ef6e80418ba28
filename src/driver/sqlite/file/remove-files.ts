import { existsSync, rmSync } from 'node:fs'
import { DatabaseBusyError } from '../../../contract/errors.ts'
import { alone } from './alone.ts'
import { type DatabaseFile, databaseFiles } from './database-file.ts'
import { retryBusy } from './retry-busy.ts'

/**
 * Removes the files of a database that this process has closed. Rejects with DatabaseBusyError if others still have it open after
 * `timeout` milliseconds, and with a StorageError if another file has replaced it.
 */
export async function removeFiles(file: DatabaseFile, timeout: number): Promise<void> {
  try {
    await retryBusy(() => removeAlone(file), timeout)
  } catch (error) {
    if (!(error instanceof DatabaseBusyError)) throw error
    throw new DatabaseBusyError(error.waited, { cause: error, file: file.path })
  }
}

function removeAlone(file: DatabaseFile): void {
  if (!existsSync(file.path)) return
  file.assertThere()
  const remove = () => {
    file.assertThere()
    // The file itself comes last: otherwise the files beside it would be taken for parts of the next one.
    for (const path of databaseFiles(file.path).reverse()) rmSync(path, { force: true })
  }
  // Windows does not allow removing an open file.
  const isKept = process.platform === 'win32'
  alone(file.path, isKept ? () => {} : remove)
  if (isKept) remove()
}
