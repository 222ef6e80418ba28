import { renameSync, writeFileSync } from 'node:fs'

/** Writes a file that holds its old text or its new one at any time. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}
