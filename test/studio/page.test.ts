import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { renameSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { loadCities } from '../../bench/values/cities.ts'
import { cities } from '../../schemas/cities.ts'
import { openStudio } from '../../src/studio/server.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { openPage } from './browser.ts'
import { executablePath, launchBrowser } from './find-browser.ts'

// The studio in a real browser. What it runs is what `npm run build` has made of the page.

if (executablePath === undefined)
  console.warn('There is no browser here, and the page of the studio is not tested: install chromium')

const path = temporaryFolder()
let browser: Browser

beforeAll(async () => {
  if (executablePath !== undefined) browser = await launchBrowser()
})
afterAll(() => browser?.close())

const authors = defineSchema(['authors', '*'], z.object({ name: z.string().min(2), born: z.date() }))
const books = defineSchema(
  ['books', '*'],
  z.object({ title: z.string(), by: z.string(), copies: z.bigint(), kind: z.enum(['prose', 'verse']) }),
  { references: { by: authors } },
)

/** Runs a program on a database in a process of its own. */
async function elsewhere(file: string, program: string): Promise<void> {
  const built = new URL('../../dist/index.js', import.meta.url).href
  const text = `import { Valkeyrie } from ${JSON.stringify(built)}
    await using db = await Valkeyrie.inspect(${JSON.stringify(file)}, { busyTimeout: 600_000 })
    ${program}`
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', text])
}

/** A library, and a page of a studio of it. */
async function library(name = path()) {
  const db = await Valkeyrie.withSchemas([authors, books]).open(name)
  onTestFinished(() => db.close())
  await db.repositories.authors.set('ada', { name: 'Ada', born: new Date('1815-12-10') })
  await db.repositories.books.set('notes', { title: 'Notes', by: 'ada', copies: 12n, kind: 'prose' })
  await db.repositories.books.set('poems', { title: 'Poems', by: 'ada', copies: 2n ** 70n, kind: 'verse' })
  const studio = await openStudio(name)
  onTestFinished(() => studio[Symbol.asyncDispose]())
  const { page, wrongs } = await openPage(browser, studio.url)
  const go = async (to: string) => {
    await page.evaluate(`location.hash = ${JSON.stringify(to)}`)
  }
  const live = () => page.locator('.connection.live').waitFor()
  return { db, studio, page, wrongs, go, live, name }
}

describe.skipIf(executablePath === undefined)('the page', () => {
  it('shows repositories, rows as what they are, and the rows that belong to one', async () => {
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

  it('pages to the end of 135,233 cities, filters and orders them, and is moved by keys', async () => {
    const name = path()
    const db = await Valkeyrie.withSchemas([cities]).open(name)
    onTestFinished(() => db.close())
    const items = loadCities().map((city) => [[city.country, city.cityId] as const, city] as const)
    await db.repositories.cities.insertMany(items as never)
    const studio = await openStudio(name)
    onTestFinished(() => studio[Symbol.asyncDispose]())
    const { page, wrongs } = await openPage(browser, studio.url)
    const found = (text: string) => page.locator('.status .found', { hasText: text }).waitFor()
    await found('135,233 rows')
    await page.locator('.row .value').first().waitFor()
    await page.focus('[role=grid]')
    await page.keyboard.press('End')
    await page.locator('.row.active', { hasText: '135,233' }).locator('.value').first().waitFor()
    expect(await page.locator('.row.active').textContent()).toContain('ZW')
    await page.keyboard.press('PageUp')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.locator('.panel h3', { hasText: "'ZW'" }).waitFor()
    await page.keyboard.press('Escape')
    // Somewhere in the middle, where nobody has been.
    await page.evaluate('document.querySelector("[role=grid]").scrollTop = 60_000 * 30')
    await page.locator('.row', { hasText: '60,010' }).locator('.value').first().waitFor()

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

  it('changes a row, and undoes it; inserts and deletes one', async () => {
    const { page, db, wrongs } = await library()
    const { authors: people } = db.repositories
    await page.click('.tree >> text=authors')
    await page.locator('.row', { hasText: 'Ada' }).click()
    await page.fill('#field-name', 'A')
    await page.locator('.row-editor .failure').waitFor()
    expect(await page.locator('.row-editor .primary').isDisabled()).toBe(true)
    await page.fill('#field-name', 'Ada Lovelace')
    await page.click('.row-editor .primary')
    await page.locator('.row', { hasText: 'Ada Lovelace' }).waitFor()
    expect((await people.get('ada')).value).toEqual({ name: 'Ada Lovelace', born: new Date('1815-12-10') })
    await page.click('.toast >> text=Undo')
    await page.locator('.toast', { hasText: 'As it was before' }).waitFor()
    expect((await people.get('ada')).value?.name).toBe('Ada')

    await page.click('text=New row')
    await page.fill('#new-id-0', 'bob')
    await page.fill('#field-name', 'Bob')
    await page.fill('#field-born', '1990-01-31')
    await page.click('text=Insert')
    await page.locator('.row', { hasText: 'Bob' }).waitFor()
    expect((await people.get('bob')).value?.born).toEqual(new Date('1990-01-31'))
    await page.click('.danger')
    await page.locator('.toast', { hasText: 'Deleted' }).waitFor()
    expect((await people.get('bob')).value).toBeNull()
    await page.click('.toast:has-text("Deleted") >> text=Undo')
    await page.locator('.toast', { hasText: 'Brought back' }).waitFor()
    expect((await people.get('bob')).value?.name).toBe('Bob')
    expect(wrongs).toEqual([])
  })

  it('shows both versions where another has written the row', async () => {
    const { page, db, live, name } = await library()
    await live()
    await page.click('.tree >> text=books')
    await page.locator('.row', { hasText: 'Notes' }).click()
    await page.fill('#field-title', 'Mine')
    await elsewhere(name, "await db.repositories.books.update('notes', { title: 'Theirs' })")
    await page.locator('.conflict', { hasText: 'Theirs' }).waitFor()
    expect(await page.locator('.conflict td').allTextContents()).toEqual(['Mine', 'Theirs'])
    await page.click('text=Write mine')
    await page.locator('.row', { hasText: 'Mine' }).waitFor()
    expect((await db.repositories.books.get('notes')).value?.title).toBe('Mine')
  })

  it('shows what others write as they write it, and what expires', async () => {
    const { page, live, go, name } = await library()
    await live()
    await page.click('.tree >> text=authors')
    await page.locator('.row', { hasText: 'Ada' }).waitFor()
    const grace = "'grace', { name: 'Grace', born: new Date(0) }, { expireIn: 3_600_000 }"
    await elsewhere(name, `await db.repositories.authors.set(${grace})`)
    await page.locator('.row', { hasText: 'Grace' }).waitFor()
    await page.locator('.row .countdown', { hasText: /5\d min|1 h/ }).waitFor()
    await elsewhere(name, "await db.repositories.authors.delete('ada')")
    await page.locator('.row', { hasText: 'Ada' }).waitFor({ state: 'detached' })
    await go('#/feed')
    await page.locator('.change.delete', { hasText: "['authors', 'ada']" }).waitFor()
    await page.fill('[aria-label="Part of a key"]', 'grace')
    await page.locator('.change.delete').waitFor({ state: 'detached' })
    expect(await page.locator('.change').count()).toBe(1)
  })

  it('tells in its feed what was committed while the connection was gone', async () => {
    const feeds = new Set<Socket>()
    const note = (message: unknown) => {
      const { request, socket } = message as { request: IncomingMessage; socket: Socket }
      if (request.url === '/api/feed') feeds.add(socket)
    }
    subscribe('http.server.request.start', note)
    onTestFinished(() => void unsubscribe('http.server.request.start', note))
    const { page, db, live, go } = await library()
    await live()
    await go('#/feed')
    await db.set(['n', 0], 0)
    await page.locator('.change', { hasText: "['n', 0]" }).waitFor()
    await page.context().setOffline(true)
    for (const socket of feeds) socket.destroy()
    await page.locator('.connection.lost').waitFor()
    for (let n = 1; n <= 5; n++) await db.set(['n', n], n)
    await page.context().setOffline(false)
    await page.locator('.change', { hasText: "['n', 5]" }).waitFor()
    const keys = await page.locator('.change .key').allTextContents()
    expect(keys.filter((key) => key.startsWith("['n'"))).toEqual([5, 4, 3, 2, 1, 0].map((n) => `['n', ${n}]`))
  })

  it('runs nothing of hostile values, keys, schemas and file names', async () => {
    const attack = `"><img src=x onerror=alert(1)><script>alert(2)</script>\u202e{{7*7}}`
    const name = path(`<img src=x onerror=alert(3)>.db`)
    const hostile = defineSchema(
      ['evil', '*'],
      z.object({ [attack]: z.string(), __proto__x: z.string(), constructor: z.string() }),
    )
    const db = await Valkeyrie.withSchemas([hostile]).open(name)
    onTestFinished(() => db.close())
    const value = { [attack]: attack, __proto__x: 'javascript:alert(4)', constructor: attack }
    await db.set(['evil', attack], value as never)
    await db.set([attack, 'x'], JSON.parse(`{"__proto__":{"polluted":1},"a":${JSON.stringify(attack)}}`))
    const studio = await openStudio(name)
    onTestFinished(() => studio[Symbol.asyncDispose]())
    const { page, wrongs } = await openPage(browser, studio.url)
    await page.locator('h1', { hasText: 'onerror=alert(3)' }).waitFor()
    await page.locator('.row', { hasText: 'onerror' }).click()
    await page.locator('.panel .field').first().waitFor()
    await page.click('.panel >> text=Text')
    await page.locator('.panel .editor').waitFor()
    for (const view of [
      '#/keys',
      '#/feed',
      '#/health',
      `#/data/${encodeURIComponent(attack)}`,
      `#/data/evil?q=${encodeURIComponent(attack)}`,
    ]) {
      await page.evaluate(`location.hash = ${JSON.stringify(view)}`)
      await page
        .locator('main')
        .getByText('onerror', { exact: false })
        .or(page.locator('.failure, .card'))
        .first()
        .waitFor()
    }
    expect(await page.locator('img, main script').count()).toBe(0)
    expect(await page.evaluate(() => ({}) as { polluted?: number }).then((it) => it.polluted)).toBeUndefined()
    expect(wrongs).toEqual([])
  })

  it('says what is wrong: a wrong token, a file that was moved, a studio that was ended', async () => {
    const { page, studio, name, live } = await library()
    await live()
    const other = await openPage(browser, studio.url.replace(/token=.*/, 'token=nonsense'))
    await other.page.locator('.trouble[data-code=TOKEN]').waitFor()
    expect(await other.page.locator('.tree').count()).toBe(0)

    renameSync(name, `${name}.away`)
    await page.locator('.trouble[data-code=FILE_GONE]').waitFor()
    renameSync(`${name}.away`, name)
    await page.locator('.trouble').waitFor({ state: 'detached' })
    await studio[Symbol.asyncDispose]()
    await page.locator('.trouble[data-code=NO_SERVER]').waitFor()
  })

  it('is held by no other page, and answers none', async () => {
    const { studio } = await library()
    const { page } = await openPage(browser, 'about:blank')
    const failure = await page.evaluate(
      (url) => fetch(new URL('/api/catalog', url), { method: 'POST', body: '{}' }).then(() => null, String),
      studio.url,
    )
    expect(failure).toMatch(/Failed to fetch/)
  })
})
