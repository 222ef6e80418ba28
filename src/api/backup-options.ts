import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { checkBoolean } from '../arguments/option-values.ts'
import type { BackupOptions } from '../driver/backup.ts'
import { locateFile } from '../engines/engines.ts'

/** The absolute path of a backup. Throws a TypeError if the path names no file, or an option is not valid. */
export function checkBackup(path: string | URL, options: BackupOptions): string {
  const address = locateFile(path, 'backup', './backup.db')
  checkOptionNames(options, ['onProgress', 'signal', 'overwrite'], 'backup')
  checkSignal(options, 'backup')
  const { onProgress, overwrite } = options
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new TypeError(
      'onProgress must be a function of two numbers: the bytes copied so far, and the total',
    )
  checkBoolean(overwrite, 'overwrite')
  return address
}
