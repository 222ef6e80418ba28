import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restoreFile } from '../backup/files.ts'

/** Implements the migrator's `replace`. */
export async function replaceFile<T>(
  path: string,
  busyTimeout: number,
  make: (path: string) => Promise<T>,
): Promise<T> {
  // What a killed process leaves there disturbs nobody.
  const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-reset-'))
  try {
    const made = join(folder, 'new.db')
    const result = await make(made)
    await restoreFile(made, path, { keep: false, busyTimeout })
    return result
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
