import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeEngine } from '../engines.ts'
import { extent } from '../extent.ts'
import { longEngines } from './run-example.ts'

const program = fileURLToPath(new URL('../../examples/atlas.ts', import.meta.url))

const fewer = new URL('fewer-cities.ts', import.meta.url).href

const allCities = 135_233
/** Of so many cities one is loaded, besides those that the walk names. */
const each = Math.floor(
  allCities / extent('cities of the atlas, besides those that it names', 3_000, allCities),
)

async function runAtlas(address: string, ...options: readonly string[]): Promise<string> {
  const env = { ...process.env, EACH: String(each) }
  const { stdout } = await promisify(execFile)(process.execPath, [...options, program, address], { env })
  return stdout
}

/**
 * What was printed after the loading, without what differs from run to run: versions, and the limit of a query that was short the last time, and
 * may find more now.
 */
function walkOf(output: string): string {
  return output
    .slice(output.indexOf('Reading by key'))
    .replace(/'[0-9a-f]{20}'/g, "'versionstamp'")
    .replaceAll(' limit ? + 0', '')
}

/** A server plans by statistics, which it renews when it pleases. */
function withoutPlans(walk: string): string {
  return walk.replace(/^ {2}plan .*\n/gm, '')
}

for (const name of longEngines)
  describeEngine(name, 'the atlas', (engine) =>
    it('loads two packages, walks through the calls, and reuses what is there the next time', async () => {
      const address = engine.newAddress()
      const first = await runAtlas(address, ...(each > 1 ? ['--import', fewer] : []))
      expect(first).toContain('countries 250/250')
      const [, cities] = /cities {4}(\d+)\/\1$/m.exec(first)!
      expect(Number(cities)).toBeGreaterThanOrEqual(allCities / each)

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
      expect(second).toMatch(
        new RegExp(`^Reusing .*: 250 countries and ${cities} cities are in it already\\.$`, 'm'),
      )
      expect(withoutPlans(walkOf(second))).toBe(withoutPlans(walk))
      expect(walk).toMatch(/^ {2}plan .*kv_cities_name/m)
    }),
  )
