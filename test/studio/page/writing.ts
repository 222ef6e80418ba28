import { expect, it } from 'vitest'
import { waitUntil } from '../../waiting.ts'
import { elsewhere, library } from './library.ts'

/** What is changed in a page. */
export function writing(): void {
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

  it('shows both versions if somebody else has written the row', async () => {
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

  it('lets a row expire, undoes it, and counts down', async () => {
    const { page, db } = await library()
    const { authors: people } = db.repositories
    await page.click('.tree >> text=authors')
    await page.locator('.row', { hasText: 'Ada' }).click()
    const expire = () => page.selectOption('[aria-label="Let it expire"]', { label: 'in an hour' })
    const countdown = page.locator('.facts .countdown')
    await expire()
    await countdown.waitFor()
    await page.click('.toast >> text=Undo')
    await page.locator('.toast', { hasText: 'As it was before' }).waitFor()
    await countdown.waitFor({ state: 'detached' })
    expect((await people.get('ada')).expiresAt).toBeNull()

    await expire()
    await countdown.filter({ hasText: /\d+ min \d+ s/ }).waitFor()
    await page.locator('.row .countdown').waitFor()
    const { expiresAt } = await people.get('ada')
    expect(expiresAt! - Date.now()).toBeGreaterThan(0)
    const shown = await countdown.textContent()
    await countdown.filter({ hasNotText: shown! }).waitFor()
  })

  it('takes the other version, and says when the row is gone', async () => {
    const { page, db, live } = await library()
    await live()
    await page.click('.tree >> text=books')
    await page.locator('.row', { hasText: 'Notes' }).click()
    await page.fill('#field-title', 'Mine')
    await db.repositories.books.update('notes', { title: 'Theirs' })
    await page.click('.conflict >> text=Take theirs')
    await page.locator('.conflict').waitFor({ state: 'detached' })
    expect(await page.inputValue('#field-title')).toBe('Theirs')
    await page.fill('#field-title', 'Mine again')
    await db.repositories.books.delete('notes')
    await page
      .locator('.empty, .conflict')
      .filter({ hasText: /no such row|deleted this row/ })
      .waitFor()
  })

  it('writes nothing in read-only mode, and drops what expires', async () => {
    const { page, db, live } = await library({ readOnly: true })
    await live()
    await page.locator('.badge', { hasText: 'read only' }).waitFor()
    await page.click('.tree >> text=authors')
    await page.locator('.row', { hasText: 'Ada' }).click()
    await page.locator('.panel .field').first().waitFor()
    expect(await page.locator('text=New row').count()).toBe(0)
    expect(await page.locator('.danger, [aria-label="Let it expire"], .row-editor .primary').count()).toBe(0)
    const brief = page.locator('.row', { hasText: 'Brief' })
    // For longer where it is over before it is shown.
    for (let expireIn = 500; (await brief.count()) === 0; expireIn *= 2) {
      await db.repositories.authors.set('brief', { name: 'Brief', born: new Date(0) }, { expireIn })
      const end = Date.now() + expireIn
      await waitUntil('the row', async () => (await brief.count()) > 0 || Date.now() > end)
    }
    // Nobody may remove it meanwhile, and no message comes.
    await brief.waitFor({ state: 'detached' })
    await page.locator('.status .found', { hasText: '1 row' }).waitFor()
  })
}
