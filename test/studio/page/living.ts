import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { elsewhere, library, markedBy } from './library.ts'

/** What reaches a page without its asking. */
export function living(): void {
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

  it('shows in its feed what was committed while the connection was lost', async () => {
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

  it('highlights what was just written, for a moment', async () => {
    const { page, db, live } = await library()
    await live()
    await page.click('.tree >> text=books')
    await page.locator('.row', { hasText: 'Notes' }).waitFor()
    const { text, animation } = await markedBy(page, () =>
      db.repositories.books.update('notes', { title: 'Other notes' }),
    )
    expect(text).toContain('Other notes')
    expect(animation).toBe('fresh')
    await page.locator('.row.fresh').waitFor({ state: 'detached' })
  })

  it('draws the activity', async () => {
    const { page, db, live, go } = await library()
    await live()
    await go('#/activity')
    await page.locator('.chart canvas').first().waitFor()
    let n = 0
    const writes = setInterval(() => void db.atomic().set(['n'], n++).set(['m'], n).commit(), 100)
    onTestFinished(() => clearInterval(writes))
    await page.locator('.legend', { hasText: /^commits [1-9]/ }).waitFor()
    await page.locator('.legend', { hasText: /^file \d/ }).waitFor()
    // The line of the commits is drawn in its colour.
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.chart canvas')!
      const legend = document.querySelector('.legend i')!
      const colour = getComputedStyle(legend).backgroundColor.match(/\d+/g)!.map(Number)
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 3]! > 128 && colour.every((part, n) => Math.abs(part - data[at + n]!) < 30)) return true
      return false
    })
    expect(await page.locator('.chart').count()).toBe(4)
  })
}
