/**
 * Four processes ask for one client at the same time: exactly as many requests as its limit are admitted, and as many
 * again in the next window.
 *
 *     node examples/rate-limiter.ts
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { addressOf } from './address/address-of.ts'
import { openAllowances, RateLimiter } from './rate-limiter/limiter.ts'

const limit = 100n
const window = 60_000
const path = addressOf('limit')
await using db = await openAllowances(path, { destroyOnClose: true })

const start = Date.now()
const program = fileURLToPath(new URL('./rate-limiter/worker.ts', import.meta.url))
const args = [program, path, limit, window, start, 80].map(String)
const run = promisify(execFile)
const answers = await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, args)))

const admitted = answers.map(({ stdout }) => Number(stdout))
const all = admitted.reduce((sum, n) => sum + n)
console.log(`This window: ${admitted.join(' + ')} = ${all} of ${4 * 80} requests admitted`)

const nextWindow = new RateLimiter(db, { limit, window, now: () => start + window })
const later = await Promise.all(Array.from({ length: 4 * 80 }, () => nextWindow.admits('ada')))
console.log(`The next one: ${later.filter((admitted) => admitted).length} of ${4 * 80} requests admitted`)
