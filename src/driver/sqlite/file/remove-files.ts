import { existsSync, rmSync } from 'node:fs'
import { alone } from './alone.ts'
import { type DatabaseFile, databaseFiles } from './database-file.ts'

/** Throws SQLITE_BUSY if others have the file open, and a StorageError if another file has replaced it. */
export function removeFiles(file: DatabaseFile): void {
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
