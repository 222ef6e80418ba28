import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is removed when it goes out of scope. */
export interface TemporaryFolder extends Disposable {
  readonly path: string
  /** A new, empty folder in it. */
  folder(name: string): string
}

export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'valkeyrie-bench-'))
  return {
    path,
    folder: (name) => mkdtempSync(join(path, `${name.replace(/\W+/g, '-')}-`)),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** What the files of a folder hold, in bytes. */
export const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
