import fc from 'fast-check'
import type { Page } from 'playwright-core'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { ScrollRange } from '../../../src/studio/page/data/scroll-range.ts'
import { library } from './library.ts'

/** Makes a page believe that its repository has this many rows. */
async function pretend(page: Page, count: number): Promise<void> {
  await page.route('**/api/count', (route) => route.fulfill({ json: { count, ms: 1 } }))
  await page.route('**/api/rows', (route) => {
    const { after = null, offset = 0, limit, backward } = route.request().postDataJSON()
    const begin = backward
      ? Number(after ?? count) - limit
      : (after === null ? 0 : Number(after) + 1) + offset
    const [first, end] = [Math.max(0, begin), Math.min(count, begin + limit)]
    const rows = Array.from({ length: Math.max(0, end - first) }, (_, at) => ({
      repository: 'authors',
      key: ['authors', `n${first + at + 1}`],
      value: { name: 'One of many' },
      versionstamp: '1',
    }))
    const isEnd = backward ? first === 0 : end === count
    return route.fulfill({ json: { rows, cursor: isEnd ? null : String(backward ? first : end - 1), ms: 1 } })
  })
}

/** How a list that is higher than any element is scrolled. */
export function scrolling(): void {
  it('a scroll bar reaches all of a list: in order, to its very ends, and there and back', () => {
    const height = fc.integer({ min: 1, max: 2 ** 40 })
    const part = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(height, part, part, (list, one, other) => {
        const range = new ScrollRange(list)
        expect(range.height).toBeLessThanOrEqual(6_000_000)
        expect([range.offsetOf(0), range.offsetOf(range.height)]).toEqual([0, list])
        const [a, b] = [one, other].map((it) => range.offsetOf(it * range.height)).sort((x, y) => x - y)
        expect(range.placeOf(a!)).toBeLessThanOrEqual(range.placeOf(b!))
        expect(range.offsetOf(range.placeOf(one * list))).toBeCloseTo(one * list, 0)
      }),
    )
  })

  it('keeps its place when a program declares more', async () => {
    const { page, name } = await library()
    await pretend(page, 1_000)
    await page.reload()
    await page.locator('.status .found', { hasText: '1,000 rows' }).waitFor()
    await page.focus('[role=grid]')
    await page.keyboard.press('End')
    const scrolled = () => page.evaluate(() => document.querySelector('[role=grid]')!.scrollTop)
    const end = await scrolled()
    expect(end).toBeGreaterThan(20_000)
    await using _more = await Valkeyrie.withSchema(['shelves', '*'], z.object({})).open(name)
    await page.getByText('shelves').first().waitFor()
    expect(await scrolled()).toBe(end)
  })

  it('shows every row of ten million, by keys, by the scroll bar and by the wheel', async () => {
    const count = 10_000_000
    const { page } = await library()
    await pretend(page, count)
    await page.reload()
    await page.locator('.status .found', { hasText: '10,000,000 rows' }).waitFor()
    const active = (n: number) =>
      page
        .locator('.row.active', { hasText: n.toLocaleString('en') })
        .getByText(`n${n}`, { exact: true })
        .waitFor()
    /** The rows that one sees, from the one below the head to the last. */
    const inSight = () =>
      page.evaluate(() => {
        const table = document.querySelector('[role=grid]')!
        const { top, bottom } = table.getBoundingClientRect()
        return [...table.querySelectorAll('.row')]
          .map((row) => ({
            at: row.getBoundingClientRect(),
            index: Number(row.getAttribute('aria-rowindex')) - 1,
          }))
          .filter(({ at }) => at.top >= top + 31 && at.bottom <= bottom + 1)
          .map(({ index }) => index)
      })
    await page.focus('[role=grid]')
    await page.keyboard.press('End')
    await active(count)
    expect((await inSight()).at(-1)).toBe(count)
    for (let n = 0; n < 40; n++) await page.keyboard.press('ArrowUp')
    await active(count - 40)
    expect((await inSight())[0]).toBe(count - 40)
    await page.keyboard.press('Home')
    await active(1)
    expect((await inSight())[0]).toBe(1)

    // To the middle by the scroll bar, which the end of the move before it does not take back, and on from there by the wheel: ten rows of
    // 30 pixels each time.
    const kept = await page.evaluate(() => {
      const table = document.querySelector('[role=grid]')!
      table.scrollTop = table.scrollHeight / 2
      table.dispatchEvent(new Event('scrollend'))
      return table.scrollTop / table.scrollHeight
    })
    expect(kept).toBeCloseTo(0.5)
    await page
      .locator('.row', { hasText: /5,0\d\d,\d{3}/ })
      .first()
      .waitFor()
    let seen = await inSight()
    expect(Math.abs(seen[0]! - count / 2)).toBeLessThan(1_000)
    await page.hover('[role=grid]')
    for (let n = 0; n < 5; n++) {
      const next = seen[0]! + 10
      await page.mouse.wheel(0, 300)
      // It has come to its end, and the scroll bar to where ten rows on are.
      await page.waitForFunction((wanted) => {
        const table = document.querySelector('[role=grid]')!
        const row = table.querySelector(`.row[aria-rowindex="${wanted + 1}"]`)
        if (row === null) return false
        const below = row.getBoundingClientRect().top - table.getBoundingClientRect().top - 32
        return Math.abs(below) < 15 && Math.abs(table.scrollTop - table.scrollHeight / 2) < 100
      }, next)
      seen = await inSight()
      expect(Math.abs(seen[0]! - next)).toBeLessThanOrEqual(1)
      expect(seen).toEqual(seen.map((_, at) => seen[0]! + at))
    }
    // The last one that the bar leads to is the last one that there is.
    await page.evaluate(() => {
      const table = document.querySelector('[role=grid]')!
      table.scrollTop = table.scrollHeight
    })
    await page.locator('.row', { hasText: '10,000,000' }).getByText(`n${count}`, { exact: true }).waitFor()
  })
}
