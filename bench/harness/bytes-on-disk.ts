import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What the files of a folder hold, in bytes. */
export function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}
