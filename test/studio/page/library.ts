import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { afterAll, onTestFinished } from 'vitest'
import { z } from 'zod'
import { openStudio, type StudioOptions } from '../../../src/studio/server.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { openContext, openPage } from '../browser.ts'
import { launchBrowser } from '../find-browser.ts'

export const path = temporaryFolder()
let launched: Promise<Browser> | undefined
let opened: Promise<BrowserContext> | undefined
afterAll(async () => (await launched)?.close())

/** Where all tests open their pages. */
export function context(): Promise<BrowserContext> {
  launched ??= launchBrowser()
  opened ??= launched.then(openContext)
  return opened
}

const authors = defineSchema(['authors', '*'], z.object({ name: z.string().min(2), born: z.date() }))
const books = defineSchema(
  ['books', '*'],
  z.object({ title: z.string(), by: z.string(), copies: z.bigint(), kind: z.enum(['prose', 'verse']) }),
  { references: { by: authors } },
)

/** Runs a program on a database in a process of its own. */
export async function elsewhere(file: string, program: string): Promise<void> {
  const built = new URL('../../../dist/index.js', import.meta.url).href
  const text = `import { Valkeyrie } from ${JSON.stringify(built)}
    await using db = await Valkeyrie.inspect(${JSON.stringify(file)}, { busyTimeout: 600_000 })
    ${program}`
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', text])
}

/** A page of a studio of a file. */
export async function studioOf(file: string, options: StudioOptions = {}) {
  const studio = await openStudio(file, options)
  onTestFinished(() => studio[Symbol.asyncDispose]())
  const { page, wrongs } = await openPage(await context(), studio.url)
  return {
    studio,
    page,
    wrongs,
    go: async (to: string) => {
      await page.evaluate(`location.hash = ${JSON.stringify(to)}`)
    },
    live: () => page.locator('.connection.live').waitFor(),
  }
}

/** Does something, and returns the first row that is then marked as just written, however briefly. */
export async function markedBy(page: Page, work: () => Promise<unknown>) {
  const marked = await page.evaluateHandle(() => {
    const { promise, resolve } = Promise.withResolvers<{ text: string; animation: string; shadow: string }>()
    const observer = new MutationObserver(() => {
      const row = document.querySelector('.row.fresh')
      if (row === null) return
      observer.disconnect()
      const { animationName: animation, boxShadow: shadow } = getComputedStyle(row)
      resolve({ text: row.textContent, animation, shadow })
    })
    observer.observe(document.body, { subtree: true, childList: true, attributes: true })
    return { promise }
  })
  await work()
  return marked.evaluate(({ promise }) => promise)
}

/** A library, and a page of a studio of it. */
export async function library(options: StudioOptions = {}) {
  const name = path()
  const db = await Valkeyrie.withSchemas([authors, books]).open(name)
  onTestFinished(() => db.close())
  await db.repositories.authors.set('ada', { name: 'Ada', born: new Date('1815-12-10') })
  await db.repositories.books.set('notes', { title: 'Notes', by: 'ada', copies: 12n, kind: 'prose' })
  await db.repositories.books.set('poems', { title: 'Poems', by: 'ada', copies: 2n ** 70n, kind: 'verse' })
  return { db, name, ...(await studioOf(name, options)) }
}
