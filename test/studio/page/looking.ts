import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { loadCities } from '../../../bench/values/cities.ts'
import { cities } from '../../../schemas/cities.ts'
import { extent } from '../../extent.ts'
import { library, path, studioOf } from './library.ts'

/** What a page shows, and how one gets about in it. */
export function looking(): void {
  it('shows repositories, rows with their types, and related rows', async () => {
    const { page, wrongs } = await library()
    await page.locator('.tree', { hasText: 'authors' }).waitFor()
    await page.click('.tree >> text=books')
    await page.locator('.row', { hasText: '1180591620717411303424n' }).waitFor()
    expect(await page.locator('.row').count()).toBe(2)
    await page.locator('.row', { hasText: 'Poems' }).click()
    await page.click('.relations >> text=by → authors')
    await page.locator('.panel h3', { hasText: "['authors', 'ada']" }).waitFor()
    await page.click('.relations >> text=books by by')
    await page.locator('.status .found', { hasText: '2 rows' }).waitFor()
    expect(page.url()).not.toContain('token')
    expect(wrongs).toEqual([])
  })

  it('pages to the end of many cities, filters and orders them, and is moved by keys', async () => {
    const all = loadCities()
    const each = Math.ceil(all.length / extent('cities of the studio', 3_000, all.length))
    const some = all.filter(
      ({ population, country }, n) => n % each === 0 || population >= 1_000_000 || country === 'ZW',
    )
    const count = some.length.toLocaleString('en')
    const middle = Math.floor(some.length / 2)
    const name = path()
    const db = await Valkeyrie.withSchemas([cities]).open(name)
    onTestFinished(() => db.close())
    const items = some.map((city) => [[city.country, city.cityId] as const, city] as const)
    await db.repositories.cities.insertMany(items as never)
    const { page, wrongs } = await studioOf(name)
    const found = (text: string) => page.locator('.status .found', { hasText: text }).waitFor()
    await found(`${count} rows`)
    await page.locator('.row .value').first().waitFor()
    await page.focus('[role=grid]')
    await page.keyboard.press('End')
    await page.locator('.row.active', { hasText: count }).locator('.value').first().waitFor()
    expect(await page.locator('.row.active').textContent()).toContain('ZW')
    await page.keyboard.press('PageUp')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.locator('.panel h3', { hasText: "'ZW'" }).waitFor()
    await page.keyboard.press('Escape')
    // Somewhere in the middle, where nobody has been.
    await page.evaluate(`document.querySelector('[role=grid]').scrollTop = ${middle * 30}`)
    await page
      .locator('.row', { hasText: (middle + 10).toLocaleString('en') })
      .locator('.value')
      .first()
      .waitFor()

    await page.click('.editor')
    await page.keyboard.insertText(
      "{ where: { population: { gte: 1_000_000 } }, orderBy: { population: 'desc' } }",
    )
    await page.keyboard.press('Enter')
    await page.locator('.row', { hasText: 'Shanghai' }).first().waitFor()
    await page.click('text=Plan')
    await page.locator('.explain .served').waitFor()
    expect(await page.locator('.explain ol').textContent()).toContain('kv_cities_population')
    await page.click('.head >> text=population')
    await page.waitForURL((url) => !decodeURIComponent(url.href).includes('orderBy'))
    expect(wrongs).toEqual([])
  })

  it('completes a query from the schema, and copies it as TypeScript', async () => {
    const { page } = await library()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.click('.tree >> text=books')
    await page.locator('.row', { hasText: 'Notes' }).waitFor()
    await page.click('.query .editor')
    await page.keyboard.type('{ where: { ti')
    const options = page.locator('.cm-tooltip-autocomplete li')
    // By the mouse: of keys, the list takes none in its first moment.
    await options.filter({ hasText: 'title' }).click()
    await page.keyboard.type(": { startsWith: 'No' ")
    await page.keyboard.press('Escape')
    await page.click('.query >> text=Run')
    await page.locator('.status .found', { hasText: '1 row' }).waitFor()
    await page.click('.query >> text=Copy as TypeScript')
    await page.waitForFunction(
      async (copied) => (await navigator.clipboard.readText()) === copied,
      "await db.repositories.books.findMany({\n  where: { title: { startsWith: 'No' } },\n})",
    )
  })

  it('finds one of many repositories, and says when there is nothing', async () => {
    const name = path()
    const many = Array.from({ length: 200 }, (_, n) =>
      defineSchema([`area ${n}`, '*'], z.object({ n: z.number() })),
    )
    const db = await Valkeyrie.withSchemas(many).open(name)
    onTestFinished(() => db.close())
    const { page } = await studioOf(name)
    await page.locator('.empty', { hasText: 'No rows yet' }).waitFor()
    const names = page.locator('.tree .name')
    expect((await names.allTextContents()).slice(0, 3)).toEqual(['area0', 'area1', 'area2'])
    await page.fill('[aria-label="Find a repository"]', 'area19')
    await page.waitForFunction(() => document.querySelectorAll('.tree .name').length === 12)
    await page.click('.tree >> text=area199')
    await page.locator('h2', { hasText: 'area199' }).waitFor()
    await page.fill('[aria-label="Find a repository"]', '')
    await page.reload()
    await page.locator('.tree [aria-current]', { hasText: 'area199' }).waitFor()
    await page.waitForFunction(() => {
      const { top, bottom } = document.querySelector('.tree [aria-current]')!.getBoundingClientRect()
      return top >= 0 && bottom <= innerHeight + 1
    })
  })
}
