import { renameSync } from 'node:fs'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { openPage } from '../browser.ts'
import { context, library, path, studioOf } from './library.ts'

/** What a page keeps out, and what it says if it cannot work. */
export function guarding(): void {
  it('runs no code in hostile values, keys, schemas or file names', async () => {
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
    const { page, wrongs, go } = await studioOf(name)
    await page.locator('h1', { hasText: 'onerror=alert(3)' }).waitFor()
    await page.locator('.row', { hasText: 'onerror' }).click()
    await page.locator('.panel .field').first().waitFor()
    await page.click('.panel >> text=Text')
    await page.locator('.panel .editor').waitFor()
    // Each with what no view before it has shown.
    for (const [view, shown] of [
      ['#/keys', '.key-list .key:has-text("onerror")'],
      ['#/feed', '.feed .key:has-text("onerror")'],
      ['#/health', '.card'],
      [`#/data/${encodeURIComponent(attack)}`, '.empty:has-text("onerror")'],
      [`#/data/evil?q=${encodeURIComponent(attack)}`, '.failure'],
    ] as const) {
      await go(view)
      await page.locator(shown).first().waitFor()
    }
    expect(await page.locator('img, main script').count()).toBe(0)
    expect(await page.evaluate(() => ({}) as { polluted?: number }).then((it) => it.polluted)).toBeUndefined()
    expect(wrongs).toEqual([])
  })

  it('says what is wrong: a wrong token, a file that was moved, a studio that was ended', async () => {
    const { page, studio, name, live } = await library()
    await live()
    const other = await openPage(await context(), studio.url.replace(/token=.*/, 'token=nonsense'))
    await other.page.locator('.trouble[data-code=TOKEN]').waitFor()
    expect(await other.page.locator('.tree').count()).toBe(0)

    renameSync(name, `${name}.away`)
    await page.locator('.trouble[data-code=FILE_GONE]').waitFor()
    renameSync(`${name}.away`, name)
    await page.locator('.trouble').waitFor({ state: 'detached' })
    await studio[Symbol.asyncDispose]()
    await page.locator('.trouble[data-code=NO_SERVER]').waitFor()
  })

  it('shows again what is in a file that was away for one request', async () => {
    const { page, name, live } = await library()
    await live()
    await page.locator('.row', { hasText: 'Ada' }).waitFor()
    renameSync(name, `${name}.away`)
    await page.locator('.row', { hasText: 'Ada' }).click()
    await page.locator('.trouble[data-code=FILE_GONE]').waitFor()
    renameSync(`${name}.away`, name)
    await page.locator('.trouble').waitFor({ state: 'detached' })
    await page.locator('.panel .field').first().waitFor()
  })

  it('reads again what one request missed, though others succeed since', async () => {
    const { page, live } = await library()
    await live()
    const error = { code: 'FILE_GONE', message: 'The file is gone' }
    await page.route('**/api/get', (route) => route.fulfill({ status: 410, json: { error } }), { times: 1 })
    // It may say so for a moment only: whatever succeeds next ends it.
    await page.evaluate(() => {
      const observer = new MutationObserver(() => {
        if (document.querySelector('.trouble[data-code=FILE_GONE]') === null) return
        observer.disconnect()
        document.body.classList.add('told')
      })
      observer.observe(document.body, { childList: true, subtree: true, attributes: true })
    })
    await page.locator('.row', { hasText: 'Ada' }).click()
    await page.locator('body.told').waitFor()
    await page.evaluate(() => document.querySelector<HTMLElement>('[role=columnheader] button')!.click())
    await page.locator('.panel .field').first().waitFor()
    await page.locator('.trouble').waitFor({ state: 'detached' })
  })

  it('cannot be framed by another page, and answers none', async () => {
    const { studio } = await library()
    const { page } = await openPage(await context(), 'about:blank')
    const failure = await page.evaluate(
      (url) => fetch(new URL('/api/catalog', url), { method: 'POST', body: '{}' }).then(() => null, String),
      studio.url,
    )
    expect(failure).toMatch(/Failed to fetch/)
  })
}
