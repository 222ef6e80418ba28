import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CDPSession, Page } from 'playwright-core'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
import { openStudio } from '../../src/studio/server.ts'
import { executablePath, launchBrowser } from '../../test/studio/find-browser.ts'

/**
 * Measures the page over a repository of many rows: its frames while it is scrolled, its memory, and how long a change of another process takes
 * to be seen. `node docs/studio/measurements.ts [rows]`, over what `npm run build` has made.
 */

const rows = Number(process.argv[2] ?? 1_000_000)
const events = defineSchema(
  ['events', '*'],
  z.object({ name: z.string(), at: z.date(), amount: z.int(), tags: z.array(z.string()), note: z.string() }),
  { indexes: [{ on: 'amount' }] },
)

if (executablePath === undefined) throw new Error('There is no browser here: install chromium')
const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-studio-'))
const file = join(folder, 'events.db')
{
  await using db = await Valkeyrie.withSchemas([events]).open(file)
  const atOnce = 10_000
  for (let n = 0; n < rows; n += atOnce) {
    const items = Array.from({ length: Math.min(atOnce, rows - n) }, (_, at) => {
      const [i, note] = [n + at, 'a text of some words, as they are']
      const event = {
        name: `Event ${i}`,
        at: new Date(1.7e12 + i),
        amount: (i * 7_919) % 100_003,
        tags: ['a', 'b'],
        note,
      }
      return [String(i).padStart(8, '0'), event] as const
    })
    await db.repositories.events.insertMany(items)
  }
}
const studio = await openStudio(file)
const browser = await launchBrowser()
try {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage()
  const session = await page.context().newCDPSession(page)
  await page.goto(studio.url)
  await page.locator('.status .found', { hasText: rows.toLocaleString('en') }).waitFor()
  await page.locator('.row .value').first().waitFor()
  const bytes = [await memoryOf(session)]
  const still = await framesOf(page, () => page.waitForTimeout(3_000))
  console.log('frames of a page that nobody moves:', still)
  console.log('frames while it is scrolled by the wheel:', await framesOf(page, () => turnWheel(page)))
  console.log(
    'frames while the scroll bar is moved through all rows:',
    await framesOf(page, () => moveBar(page)),
  )
  console.log('milliseconds until the last row is there:', await timed(() => end(page)))
  bytes.push(await memoryOf(session))
  console.log('MB of the page, before and after:', bytes.map((it) => (it / 1e6).toFixed(1)).join(', '))
  console.log('milliseconds until a change of another process is seen:', await changesSeen(page))
} finally {
  await browser.close()
  await studio[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
}

/** What the process of the page has for itself alone, after its garbage was collected, as Linux tells it. */
async function memoryOf(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage')
  const browserSession = await browser.newBrowserCDPSession()
  const { processInfo } = await browserSession.send('SystemInfo.getProcessInfo')
  const bytes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => {
      const rollup = readFileSync(`/proc/${id}/smaps_rollup`, 'utf8')
      return [...rollup.matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce(
        (sum, [, kB]) => sum + 1_024 * Number(kB),
        0,
      )
    })
  // Chromium keeps another one at hand.
  return Math.max(...bytes)
}

/** The times between the frames that are drawn meanwhile, in milliseconds. */
async function framesOf(page: Page, work: () => Promise<void>): Promise<object> {
  await page.evaluate(`globalThis.frames_ = []; globalThis.drawn = true
    { let last = performance.now()
      const next = () => { const now = performance.now(); frames_.push(now - last); last = now; if (drawn) requestAnimationFrame(next) }
      requestAnimationFrame(next) }`)
  await work()
  const times = (await page.evaluate('drawn = false, frames_')) as number[]
  times.sort((a, b) => a - b)
  const at = (part: number) => Number(times[Math.floor(part * (times.length - 1))]!.toFixed(1))
  return { frames: times.length, median: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) }
}

async function turnWheel(page: Page): Promise<void> {
  await page.hover('[role=grid]')
  for (let n = 0; n < 200; n++) {
    await page.mouse.wheel(0, 120)
    await page.waitForTimeout(16)
  }
}

async function moveBar(page: Page): Promise<void> {
  for (let n = 1; n <= 100; n++) {
    await page.evaluate(`{ const table = document.querySelector('[role=grid]')
      table.scrollTop = table.scrollHeight * ${n / 100} }`)
    await page.waitForTimeout(30)
  }
}

async function end(page: Page): Promise<void> {
  await page.focus('[role=grid]')
  await page.keyboard.press('Home')
  await page.keyboard.press('End')
  await page
    .locator('.row', { hasText: String(rows - 1).padStart(8, '0') })
    .first()
    .waitFor()
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return Math.round(performance.now() - began)
}

/** From the moment at which another process has committed to the frame in which its change is drawn: the least, the median and the most of many. */
async function changesSeen(page: Page): Promise<object> {
  await page.keyboard.press('Home')
  await page.locator('.row', { hasText: '00000000' }).first().waitFor()
  await page.evaluate(`globalThis.seen = new Map()
    new MutationObserver(() => {
      for (const [, n] of document.querySelector('.body').textContent.matchAll(/change (\\d+)!/g))
        if (!seen.has(n)) seen.set(n, Date.now())
    }).observe(document.querySelector('.body'), { subtree: true, childList: true, characterData: true })`)
  const program = `import { Valkeyrie } from ${JSON.stringify(import.meta.resolve('../../dist/index.js'))}
    await using db = await Valkeyrie.inspect(${JSON.stringify(file)})
    for (let n = 0; n < 40; n++) {
      await db.repositories.events.update('00000003', { name: 'change ' + n + '!' })
      console.log(n + ' ' + Date.now())
      await new Promise((done) => setTimeout(done, 300))
    }`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  await page.waitForTimeout(500)
  const seen = new Map((await page.evaluate('[...seen]')) as [string, number][])
  const times = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([n]) => seen.has(n!))
    .map(([n, at]) => seen.get(n!)! - Number(at))
    .sort((a, b) => a - b)
  return {
    seen: times.length,
    least: times[0],
    median: times[Math.floor(times.length / 2)],
    most: times.at(-1),
  }
}
