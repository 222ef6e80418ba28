import type { Browser, BrowserContext, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { shownFor } from '../../src/studio/page/data/toasts.ts'

/** What a page has run or asked for that it must not. */
export interface Watched {
  readonly page: Page
  /** Errors of scripts and of its policy, dialogs, and requests of other places. */
  readonly wrongs: string[]
}

/**
 * Where pages are opened, each in a tab of its own, and each studio has an origin of its own. A page that stays open, of the same site and
 * empty, keeps the process of the others: it starts once, and compiles the page of the studio once.
 */
export async function openContext(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 800 } })
  // No timeout here: the test's own last resort reports what never comes.
  context.setDefaultTimeout(0)
  const kept = 'http://127.0.0.1/kept'
  await context.route(kept, (route) => route.fulfill({ contentType: 'text/html', body: '' }))
  await (await context.newPage()).goto(kept)
  return context
}

/** A page at an address. */
export async function openPage(context: BrowserContext, url: string): Promise<Watched> {
  const page = await context.newPage()
  onTestFinished(async () => {
    await page.close()
    await context.setOffline(false)
    await context.clearPermissions()
  })
  // A message that it shows for some seconds stays until the test has seen it, even on a slow machine.
  await page.addInitScript(`{
    const { setTimeout } = globalThis
    globalThis.setTimeout = (call, wait, ...rest) => (wait === ${shownFor} ? 0 : setTimeout(call, wait, ...rest))
  }`)
  const wrongs: string[] = []
  page.on('pageerror', (error) => wrongs.push(String(error)))
  page.on('dialog', (dialog) => {
    wrongs.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) wrongs.push(message.text())
  })
  page.on('request', (request) => {
    if (new URL(request.url()).host !== new URL(url).host) wrongs.push(request.url())
  })
  await page.goto(url)
  return { page, wrongs }
}
