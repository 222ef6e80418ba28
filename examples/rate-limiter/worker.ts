// Sends many requests of one client at once, at a given time, and prints how many are admitted.
import { openAllowances, RateLimiter } from './limiter.ts'

const [path, limit, window, now, requests] = process.argv.slice(2)
await using db = await openAllowances(path)
const limiter = new RateLimiter(db, { limit: BigInt(limit!), window: Number(window), now: () => Number(now) })

const answers = await Promise.all(Array.from({ length: Number(requests) }, () => limiter.admits('ada')))
console.log(answers.filter((admitted) => admitted).length)
