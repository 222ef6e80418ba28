import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
import { loadCities } from '../../bench/values/cities.ts'
import { openStudio } from '../../src/studio/server.ts'
import { executablePath, launchBrowser } from '../../test/studio/find-browser.ts'

/** Makes the pictures of this folder, of what `npm run build` has made: `node docs/studio/screenshots.ts`. */

const countries = defineSchema(
  ['countries', '*'],
  z.object({ name: z.string(), since: z.date(), people: z.bigint() }),
)
const cities = defineSchema(
  ['countries', '*', 'cities', '*'],
  z.object({ name: z.string(), country: z.string(), population: z.int(), location: z.array(z.number()) }),
  { name: 'cities', indexes: [{ on: 'population' }, { on: 'name' }], references: { country: countries } },
)
const sessions = defineSchema(
  ['sessions', '*'],
  z.object({
    user: z.string(),
    seen: z.date(),
    roles: z.set(z.string()),
    flags: z.map(z.string(), z.boolean()),
  }),
)

const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-studio-'))
const file = join(folder, 'atlas.db')
await using db = await Valkeyrie.withSchemas([countries, cities, sessions]).open(file)
const all = loadCities()
const codes = [...new Set(all.map(({ country }) => country))]
await db.repositories.countries.insertMany(
  codes.map((code, at) => {
    const people = all
      .filter(({ country }) => country === code)
      .reduce((sum, { population }) => sum + population, 0)
    const name = new Intl.DisplayNames('en', { type: 'region' }).of(code) ?? code
    return [
      code,
      { name, since: new Date(Date.UTC(1800 + at, at % 12, 1 + (at % 28))), people: BigInt(people) },
    ] as const
  }),
)
await db.repositories.cities.insertMany(
  all.map(({ country, cityId, name, population, loc }) => {
    return [[country, String(cityId)], { name, country, population, location: loc.coordinates }] as const
  }),
)
for (const [at, user] of ['ada', 'grace', 'alan', 'edsger', 'barbara', 'donald'].entries()) {
  const seen = new Date(Date.UTC(2026, 0, 31, 12, at))
  const value = {
    user,
    seen,
    roles: new Set(['reader', ...(at % 2 ? ['editor'] : [])]),
    flags: new Map([['beta', at > 2]]),
  }
  await db.repositories.sessions.set(`s-${at}`, value, { expireIn: 45_000 * (at + 1) })
}
await db.set(['settings', 'theme'], { accent: 'violet' })

if (executablePath === undefined) throw new Error('There is no browser here: install chromium')
const studio = await openStudio(file)
const browser = await launchBrowser()
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme })
    const page = await context.newPage()
    await page.goto(studio.url)
    await page.locator('.connection.live').waitFor()
    await page.locator('.row .value').first().waitFor()
    const query = "{ where: { population: { gte: 5_000_000 } }, orderBy: { population: 'desc' } }"
    await show(page, `#/data/cities?q=${encodeURIComponent(query)}`, '.row:nth-child(3) .value')
    await page.locator('.row').nth(2).click()
    await page.locator('.panel .field').first().waitFor()
    await shoot(page, `rows-${colorScheme}`)
    await show(page, '#/feed', '.feed')
    await writeSome()
    await page.waitForTimeout(2_500)
    await shoot(page, `feed-${colorScheme}`)
    await show(page, '#/health', '.card')
    await page.getByText('Examine').click()
    await page.locator('.card .good').waitFor()
    await shoot(page, `health-${colorScheme}`)
    await show(page, '#/activity', '.chart canvas')
    for (let second = 0; second < 12; second++) {
      await writeSome()
      await page.waitForTimeout(900)
    }
    await shoot(page, `activity-${colorScheme}`)
    await context.close()
  }
} finally {
  await browser.close()
  await studio[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
}

async function show(page: Page, hash: string, wanted: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  await page.locator(wanted).first().waitFor()
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(400)
  await page.screenshot({ path: join(import.meta.dirname, `${name}.png`) })
}

async function writeSome(): Promise<void> {
  const commits = 3 + Math.floor(Math.random() * 12)
  for (let n = 0; n < commits; n++) {
    const { country, cityId, population } = all[Math.floor(Math.random() * all.length)]!
    await db.repositories.cities.update([country, String(cityId)], { population: population + n })
  }
  await db.repositories.sessions.set(
    's-new',
    { user: 'linus', seen: new Date(), roles: new Set(), flags: new Map() },
    { expireIn: 60_000 },
  )
  await db.repositories.sessions.delete('s-new')
}
