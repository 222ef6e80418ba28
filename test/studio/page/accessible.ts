import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { inTurn } from '../../extent.ts'
import { waitUntil } from '../../waiting.ts'
import { library, markedBy } from './library.ts'

/** What the checker finds in a page as it is shown, each with the place. */
async function faultsIn(page: Page, rules: string[] | null): Promise<string[]> {
  return page.evaluate(async (wanted) => {
    const { axe } = globalThis as unknown as { readonly axe: { run(options: object): Promise<Found> } }
    interface Found {
      readonly violations: readonly {
        readonly id: string
        readonly nodes: readonly { readonly target: string[] }[]
      }[]
    }
    const { violations } = await axe.run({
      resultTypes: ['violations'],
      ...(wanted !== null && { runOnly: wanted }),
    })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))
  }, rules)
}

const row = encodeURIComponent('["books","notes"]')
const query = encodeURIComponent("{ where: { kind: 'prose' } }")
const views: readonly (readonly [hash: string, shown: string])[] = [
  [`#/data/books?q=${query}&row=${row}`, '.panel .field'],
  ['#/data/books?row=new', '#new-id-0'],
  [`#/data/books?q=${encodeURIComponent('{ where: { kin: 1 } }')}`, '.failure'],
  [`#/data/books?q=${encodeURIComponent("{ where: { title: '' } }")}`, '.empty'],
  ['#/keys?row=["settings"]', '.panel .field'],
  ['#/feed', '.change'],
  ['#/activity', '.chart canvas'],
  ['#/health', '.bar'],
]

/** That everybody can use a page. */
export function accessible(): void {
  it.each([
    ['light', null, 0],
    // The rest is the same in both.
    ['dark', ['color-contrast'], 1],
  ] as const)(
    'has nothing in the %s theme that a checker of accessibility finds',
    async (theme, rules, from) => {
      const { db, page, go, live } = await library()
      await db.set(['settings'], { theme: 'violet' }, { expireIn: 3_600_000 })
      await page.emulateMedia({ colorScheme: theme })
      await live()
      await page.evaluate(axe.source)
      for (const [hash, shown] of inTurn(`views of the ${theme} theme`, views, 4, from)) {
        await go(hash)
        await page.locator(shown).first().waitFor()
        if (hash.includes('&row')) await page.click('text=Plan')
        // What was written just now is marked for a moment, in colours between two.
        await page.waitForFunction(() => document.getAnimations().every((it) => it.playState !== 'running'))
        expect([hash, await faultsIn(page, rules === null ? null : [...rules])]).toEqual([hash, []])
      }
    },
  )

  it('is used without a mouse', async () => {
    const { db, page, wrongs } = await library()
    const tabTo = async (selector: string) => {
      for (let n = 0; n < 60; n++) {
        await page.keyboard.press('Tab')
        if (await page.evaluate((wanted) => document.activeElement!.matches(wanted), selector)) return
      }
      throw new Error(`Tab does not lead to ${selector}`)
    }
    await page.locator('.row .value').first().waitFor()
    await tabTo('.tree a[href$=books]')
    await page.keyboard.press('Enter')
    await page.locator('.row', { hasText: 'Poems' }).waitFor()
    await tabTo('[role=grid]')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.locator('.panel h3', { hasText: 'poems' }).waitFor()
    // Of the row before, and back: the table keeps the keys.
    await page.keyboard.press('ArrowUp')
    await page.locator('.panel h3', { hasText: 'notes' }).waitFor()
    await tabTo('#field-title')
    await page.keyboard.press('End')
    await page.keyboard.type(' of 1843')
    await tabTo('.row-editor .primary')
    await page.keyboard.press('Enter')
    await page.locator('.row', { hasText: 'Notes of 1843' }).waitFor()
    await page.locator('.toast button').first().waitFor()
    await tabTo('.toast button')
    await page.keyboard.press('Enter')
    await page.locator('.toast', { hasText: 'As it was before' }).waitFor()
    expect((await db.repositories.books.get('notes')).value?.title).toBe('Notes')
    await page.focus('#field-title')
    await page.keyboard.press('Escape')
    await page.locator('.panel').waitFor({ state: 'detached' })
    expect(await page.evaluate(() => document.activeElement!.getAttribute('role'))).toBe('grid')
    expect(wrongs).toEqual([])
  })

  it('keeps the focus in a field of a row that is written meanwhile', async () => {
    const { db, page, go, live } = await library()
    await live()
    await go(`#/data/books?row=${encodeURIComponent('["books","notes"]')}`)
    await page.focus('#field-title')
    await db.repositories.books.update('notes', { title: 'Notes of 1843' })
    await waitUntil(
      'the other title',
      async () => (await page.inputValue('#field-title')) === 'Notes of 1843',
    )
    expect(await page.evaluate(() => document.activeElement!.id)).toBe('field-title')
  })

  it('keeps the focus and the place in the text of a row that is written meanwhile', async () => {
    const { db, page, go, live } = await library()
    await live()
    await go(`#/data/books?row=${encodeURIComponent('["books","notes"]')}`)
    await page.click('.row-editor >> text=Text')
    const text = page.locator('.row-editor .cm-content')
    await text.focus()
    await page.keyboard.press('Control+Home')
    for (const key of ['ArrowDown', 'End', 'ArrowLeft', 'ArrowLeft']) await page.keyboard.press(key)
    await db.repositories.books.update('notes', { title: 'Songs' })
    await text.getByText('Songs').waitFor()
    expect(await page.evaluate(() => document.activeElement!.className)).toBe('editor lines')
    await page.keyboard.type(' of 1843')
    await text.getByText('Songs of 1843').waitFor()
    await page.click('.row-editor >> text=Discard')
    await text.getByText("'Songs'").waitFor()
  })

  it('moves nothing for users who prefer reduced motion', async () => {
    const { db, page, live } = await library()
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await live()
    await page.click('.tree >> text=authors')
    await page.locator('.row', { hasText: 'Ada' }).waitFor()
    const { animation, shadow } = await markedBy(page, () =>
      db.repositories.authors.update('ada', { name: 'Ada Lovelace' }),
    )
    expect(animation).toBe('none')
    expect(shadow).not.toBe('none')
  })
}
