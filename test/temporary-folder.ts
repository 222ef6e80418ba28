import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Paths in a folder that is removed when the tests of the file are over. */
export function temporaryFolder(): (name?: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-test-'))
  let files = 0
  afterAll(() => rmSync(folder, { recursive: true }))
  return (name = `${files++}.db`) => join(folder, name)
}
