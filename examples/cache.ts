/**
 * Four processes miss one key at the same time: one of them fetches. Then one dies while it fetches, and a value changes
 * while it is being fetched.
 *
 *     node examples/cache.ts
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addressOf } from './address/address-of.ts'
import { cacheOf, fetchForecast, openForecasts } from './cache/forecasts.ts'

const path = addressOf('cache')
await using forecasts = await openForecasts(path, { destroyOnClose: true })
const cache = cacheOf(forecasts)

const program = fileURLToPath(new URL('./cache/asker.ts', import.meta.url))
const run = promisify(execFile)
const ask = (city: string, ...more: string[]) => run(process.execPath, [program, path, city, '10', ...more])

const askers = await Promise.all(['Oslo', 'Oslo', 'Oslo', 'Oslo'].map((city) => ask(city)))
const fetches = askers.map(({ stdout }) => Number(stdout)).reduce((sum, n) => sum + n)
console.log(`4 processes asked 10 times each, all at once: ${fetches} fetch`)

const death = await ask('Rome', 'dies').catch(({ signal }) => signal)
const rome = await cache.getOrFetch(['Rome', 'today'], (signal) => fetchForecast('Rome', signal))
console.log(
  `A process died of ${death} while it fetched; the next asked when its lease was over: ${rome?.celsius} °C`,
)

const nowhere = await cache.getOrFetch(['Atlantis', 'today'], (signal) => fetchForecast('Atlantis', signal))
console.log(
  `There is no forecast (${nowhere}), and that is cached as well:`,
  await cache.get(['Atlantis', 'today']),
)

const stale = cache.getOrFetch(['Oslo', 'tomorrow'], async () => {
  const removed = await cache.invalidateAll(['Oslo'])
  console.log(`While Oslo is fetched, all of Oslo is invalidated: ${removed} rows`)
  return { celsius: -40 }
})
console.log(
  `Who asked before gets ${(await stale)?.celsius} °C, and cached is`,
  await cache.get(['Oslo', 'tomorrow']),
)
