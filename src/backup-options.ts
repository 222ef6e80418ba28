import { databasePath, memoryPath } from './database-path.ts'
import type { BackupOptions } from './driver/backup.ts'
import { checkOptionNames } from './option-names.ts'
import { checkSignal } from './store/call-options.ts'

/** The absolute path of a backup. Throws a TypeError for what names no file, and for options that are none. */
export function checkBackup(path: string | URL, options: BackupOptions): string {
  if (path === undefined || path === memoryPath)
    throw new TypeError("backup takes the path of a file, as './backup.db'")
  checkOptionNames(options, ['onProgress', 'signal', 'overwrite'], 'backup')
  checkSignal(options, 'backup')
  const { onProgress, overwrite } = options
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new TypeError(
      'onProgress is a function of two numbers: the bytes that are copied, and those that there are',
    )
  if (overwrite !== undefined && typeof overwrite !== 'boolean')
    throw new TypeError('overwrite is true or false')
  return databasePath(path)
}
