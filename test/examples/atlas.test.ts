import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeEngine } from '../engines.ts'
import { longEngines } from './run-example.ts'

const program = fileURLToPath(new URL('../../examples/atlas.ts', import.meta.url))

async function runAtlas(address: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, address])
  return stdout
}

/** What was printed after the loading, without what differs from run to run. */
function walkOf(output: string): string {
  return output.slice(output.indexOf('Reading by key')).replace(/'[0-9a-f]{20}'/g, "'versionstamp'")
}

/** A server plans by statistics, which it renews when it pleases. */
function withoutPlans(walk: string): string {
  return walk.replace(/^ {2}plan .*\n/gm, '')
}

for (const name of longEngines)
  describeEngine(name, 'the atlas', (engine) =>
    it('loads two packages, walks through the calls, and reuses what is there the next time', async () => {
      const address = engine.newAddress()
      const first = await runAtlas(address)
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

      const second = await runAtlas(address)
      expect(second).toMatch(/^Reusing .*: 250 countries and 135233 cities are in it already\.$/m)
      expect(withoutPlans(walkOf(second))).toBe(withoutPlans(walk))
      expect(walk).toMatch(/^ {2}plan .*kv_cities_name/m)
    }),
  )
