import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { expect, it } from 'vitest'
import { executablePath, launchBrowser } from '../studio/find-browser.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor, waitUntil } from '../waiting.ts'
import { openPlayers } from './live-server.ts'
import { serverProcess } from './server-process.ts'

const path = temporaryFolder()
if (executablePath === undefined)
  console.warn('There is no Chromium here: the test of a page in a browser is left out')

/** The program of the page, with all that it needs. */
async function pageProgram(): Promise<string> {
  const source = (name: string) => join(import.meta.dirname, '../../src', `${name}.ts`)
  await using bundle = await rolldown({
    input: join(import.meta.dirname, 'programs/page.ts'),
    platform: 'browser',
    resolve: { alias: { 'valkeyrie/client': source('client'), 'valkeyrie/react': source('react') } },
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
  })
  const { output } = await bundle.generate()
  return output[0].code
}

it.skipIf(executablePath === undefined)(
  'a page misses nothing and shows nothing twice while the server is killed and started again',
  async () => {
    const file = path()
    const { db, players } = await openPlayers(file)
    let server = await serverProcess(file)
    const browser = await waitFor('a browser', launchBrowser())
    try {
      const page = await browser.newPage()
      page.setDefaultTimeout(0)
      const errors: Error[] = []
      page.on('pageerror', (error) => errors.push(error))
      await page.goto(`http://127.0.0.1:${server.port}/`)
      await page.addScriptTag({ content: await pageProgram(), type: 'module' })
      const shown = () =>
        page.evaluate(
          "document.querySelector('p')?.className + ' ' + document.querySelector('p')?.textContent",
        )
      const told = (name: 'drawn' | 'seen') => page.evaluate(`globalThis.${name}`) as Promise<string[]>
      const podium = async () => {
        const newest = await players.findMany({ orderBy: { score: 'desc' }, limit: 3 })
        return `live ${newest.map(({ id, value }) => `${id} ${value.score}`).join()}`
      }

      const wanted: string[] = []
      let score = 0
      const write = async () => {
        const id = `p${score++ % 5}`
        const { versionstamp } = await players.set(id, { name: id, score })
        wanted.push(`${versionstamp} ${id}`)
      }
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 10; i++) await write()
        await waitUntil('the newest result', async () => (await shown()) === (await podium()))
        await server.kill()
        await waitUntil('the loss', async () => String(await shown()).startsWith('stale'))
        for (let i = 0; i < 10; i++) await write()
        server = await serverProcess(file, server.port)
      }
      await waitUntil('the newest result', async () => (await shown()) === (await podium()))
      await waitUntil('the last change', async () => (await told('seen')).length >= wanted.length)
      expect(await told('seen')).toEqual(wanted)
      // Scores rise: what was drawn comes once each, and in order.
      const best = (await told('drawn')).map((text) => Number(/ (\d+)/.exec(text)![1]))
      expect(best).toEqual([...new Set(best)].sort((a, b) => a - b))
      expect(errors).toEqual([])
    } finally {
      await browser.close()
      await server.kill()
      await db.close()
    }
  },
)
