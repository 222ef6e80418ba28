/**
 * A visitor fills a basket and logs in, uses three devices, and logs out everywhere; a session that nobody uses ends by itself.
 *
 *     node examples/sessions.ts
 */
import { addressOf } from './address/address-of.ts'
import { openSessions, SessionStore } from './sessions/session-store.ts'
import { waitFor } from './stream-control/wait-for.ts'

const path = addressOf('sessions')
await using db = await openSessions(path, { destroyOnClose: true })
const store = new SessionStore(db)

const visitor = await store.create()
await Promise.all(['tea', 'ink', 'jam'].map((thing) => store.addToBasket(visitor, thing)))
const laptop = await store.logIn(visitor, 'ada')
if (laptop === null) throw new Error('The session has expired')
const session = await store.get(laptop)
console.log(`${session?.userId} is logged in, with ${session?.basket.join(', ')} in her basket.`)
console.log(`The token from before the login gives ${await store.get(visitor)}.`)

async function versionOf(token: string): Promise<string | null | undefined> {
  for await (const { versionstamp } of store.watch(token)) return versionstamp
}
const before = await versionOf(laptop)
for (let request = 0; request < 1_000; request++) await store.get(laptop)
console.log(`After 1,000 requests nothing was written: ${(await versionOf(laptop)) === before}.`)

const devices = [laptop, await store.create('ada'), await store.create('ada')]
const other = await store.create('bob')
const told = Promise.all(
  devices.map((token) =>
    waitFor(
      (signal) => store.watch(token, { signal }),
      ({ value }) => value === null,
      60_000,
    ),
  ),
)
console.log(`Logged out everywhere: ${await store.destroyAll('ada')} sessions.`)
const ended = (await told).filter((entry) => entry?.value === null)
console.log(`${ended.length} devices were told at once.`)
console.log(
  `To extend one of them now: ${await store.extend(laptop)}. Those of others stay: ${await store.extend(other)}.`,
)

const brief = new SessionStore(db, { lifetime: 300 })
const forgotten = await brief.create('cleo')
await waitFor(
  (signal) => brief.watch(forgotten, { signal }),
  ({ value }) => value === null,
  60_000,
)
console.log(`A session that nobody uses expires: ${await brief.get(forgotten)}.`)
