import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../examples/atlas.ts', import.meta.url))

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'valkeyrie-atlas-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function runAtlas(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, join(dir, 'atlas.db')])
  return stdout
}

/** What was printed after the loading, without what differs from run to run. */
function walkOf(output: string): string {
  return output.slice(output.indexOf('Reading by key')).replace(/'[0-9a-f]{20}'/g, "'versionstamp'")
}

it('loads two packages, walks through the calls, and reuses the file the next time', async () => {
  const first = await runAtlas()
  expect(first).toContain('countries 250/250')
  expect(first).toContain('cities    135233/135233')

  const walk = walkOf(first)
  expect(walk).toContain("name: 'Paris'")
  for (const error of [
    'KeyExistsError',
    'ValidationError',
    'UniqueConstraintError',
    'NotFoundError',
    'RangeError',
  ]) {
    expect(walk).toContain(`✗ threw ${error}`)
  }
  expect(walk).toMatch(/^→ 820$/m)
  expect(walk).toContain('ok: false')
  expect(walk).toContain('[KvU64: 42n]')

  const second = await runAtlas()
  expect(second).toMatch(/^Reusing .*: 250 countries and 135233 cities are in it already\.$/m)
  expect(walkOf(second)).toBe(walk)
})
