import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { openSessions, SessionStore, type Sessions } from '../../examples/sessions/session-store.ts'
import { startChild } from '../concurrency/child.ts'
import { seedOfThisRun } from '../concurrency/random.ts'
import { stillClock } from '../still-clock.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { enginesOf, runExample } from './run-example.ts'

const path = temporaryFolder()
const hour = 60 * 60_000

/** When the only session that there is expires, as it is stored: no call gives it. */
function storedExpiry({ drizzle, tables: { kv } }: Sessions): number {
  const [row] = drizzle.select().from(kv).where(eq(kv.collection, 'sessions')).all()
  return row!.expiresAt!
}

async function untilGone(store: SessionStore, token: string): Promise<void> {
  for await (const { value } of store.watch(token)) if (value === null) return
}

it.each(enginesOf('sessions'))(
  'logs in, is read without writing, logs out everywhere, and expires, on %s',
  async (engine) => {
    const lines = (await runExample('sessions', engine)).trimEnd().split('\n')
    expect(lines).toEqual([
      'ada is logged in, with tea, ink, jam in her basket.',
      'The token from before the login gives null.',
      'After 1,000 requests nothing was written: true.',
      'Logged out everywhere: 3 sessions.',
      '3 devices were told at once.',
      'To extend one of them now: false. Those of others stay: true.',
      'A session that nobody uses expires: null.',
    ])
  },
)

it('lives for 24 hours, and again from each extension', async () => {
  await using db = await openSessions()
  const store = new SessionStore(db)
  const begin = Date.now()
  const token = await store.create('ada')
  const created = storedExpiry(db)
  expect(created).toBeGreaterThanOrEqual(begin + 24 * hour)
  expect(created).toBeLessThanOrEqual(Date.now() + 24 * hour)

  await db.repositories.sessions.touch((await db.repositories.sessions.findFirst())!.id, { expireIn: hour })
  expect(storedExpiry(db)).toBeLessThan(created)
  expect(await store.extend(token)).toBe(true)
  expect(storedExpiry(db)).toBeGreaterThanOrEqual(created)
})

it('ends when its time has come, whatever is then done with its token', async () => {
  const clock = stillClock()
  await using db = await openSessions()
  const store = new SessionStore(db, { lifetime: hour })
  const token = await store.create('ada')
  expect(await store.get(token)).toMatchObject({ userId: 'ada', basket: [] })
  clock.advance(hour)
  expect(await store.get(token)).toBeNull()
  expect(await store.extend(token)).toBe(false)
  expect(await store.addToBasket(token, 'tea')).toBe(false)
  expect(await store.logIn(token, 'ada')).toBeNull()
  expect(await store.destroy(token)).toBe(false)
  expect(await store.destroyAll('ada')).toBe(0)
})

it('lives on as long as it is used, and writes that once an hour only', async () => {
  await using db = await openSessions()
  const { sessions } = db.repositories
  let now = Date.now()
  const store = new SessionStore(db, { now: () => now })
  const token = await store.create()
  const { id, versionstamp } = (await sessions.findFirst())!
  now += hour - 1
  for (let request = 0; request < 10; request++) await store.get(token)
  expect((await sessions.get(id)).versionstamp).toBe(versionstamp)

  await sessions.touch(id, { expireIn: hour })
  const before = storedExpiry(db)
  now += 1
  await Promise.all(Array.from({ length: 10 }, () => store.get(token)))
  expect(storedExpiry(db)).toBeGreaterThan(before)
  const { value, versionstamp: used } = await sessions.get(id)
  expect(value?.seenAt).toEqual(new Date(now))
  await store.get(token)
  expect((await sessions.get(id)).versionstamp).toBe(used)
})

it('loses nothing that is put into it while it is read and extended', async () => {
  const file = path()
  await using here = await openSessions(file)
  await using there = await openSessions(file)
  let now = Date.now()
  // Two uses are so far apart that each is written.
  const [mine, yours] = [here, there].map((db) => new SessionStore(db, { now: () => (now += hour) }))
  const token = await mine!.create()
  async function after(microtasks: number, call: () => Promise<unknown>): Promise<void> {
    for (let n = 0; n < microtasks; n++) await null
    await call()
  }
  // Whichever step of the one comes between whichever steps of the other.
  const things: string[] = []
  for (let ahead = 0; ahead <= 20; ahead++) {
    for (const use of [() => yours!.get(token), () => yours!.extend(token)]) {
      things.push(`thing ${things.length}`)
      const put = () => mine!.addToBasket(token, things.at(-1)!)
      await Promise.all([after(ahead, put), after(20 - ahead, use)])
    }
  }
  expect((await mine!.get(token))?.basket).toEqual(things)
})

it.each([
  ['extend', 'destroy'],
  ['destroy', 'extend'],
] as const)('is gone after %s and %s at the same moment', async (...calls) => {
  await using db = await openSessions()
  const store = new SessionStore(db)
  const token = await store.create()
  await Promise.all(calls.map((call) => store[call](token)))
  expect(await store.get(token)).toBeNull()
})

it('gives tokens that cannot be guessed, nor be found in the file', async () => {
  await using db = await openSessions()
  const store = new SessionStore(db)
  const tokens = await Promise.all(Array.from({ length: 100 }, () => store.create()))
  expect(new Set(tokens).size).toBe(100)
  for (const token of tokens) expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  const ids = await Array.fromAsync(db.repositories.sessions.list(), ({ id }) => id)
  expect(ids).toHaveLength(100)
  expect(ids.filter((id) => tokens.includes(String(id)))).toEqual([])
  expect(await store.get(String(ids[0]))).toBeNull()
})

it('changes the token at the login, for one of those who try at once, and keeps the rest', async () => {
  await using db = await openSessions()
  const store = new SessionStore(db)
  const planted = await store.create()
  await store.addToBasket(planted, 'tea')
  const tokens = await Promise.all(Array.from({ length: 5 }, () => store.logIn(planted, 'ada')))
  const [token, ...others] = tokens.filter((token) => token !== null)
  expect(others).toEqual([])
  expect(await store.get(planted)).toBeNull()
  expect(await store.get(token!)).toMatchObject({ userId: 'ada', basket: ['tea'] })
  expect(await db.repositories.sessions.count()).toBe(1)
})

it('finds the sessions of a user by an index, and ends those and no others', async () => {
  await using db = await openSessions(undefined, { onUnindexed: 'error' })
  const { sessions } = db.repositories
  const store = new SessionStore(db)
  const [ada] = await Promise.all(['ada', 'ada', 'adam', null].map((userId) => store.create(userId)))
  const plan = await sessions.explain({ where: { userId: 'ada' } })
  expect(plan).toEqual([expect.stringContaining('USING INDEX kv_sessions_userId')])
  const told = untilGone(store, ada!)
  expect(await store.destroyAll('ada')).toBe(2)
  await told
  const left = await Array.fromAsync(sessions.list(), ({ value }) => value.userId)
  expect(left.toSorted()).toEqual(['adam', null])
})

it('stays destroyed, whatever several processes do with it at that moment', async () => {
  const seed = seedOfThisRun()
  const replay = `replay with VALKEYRIE_SEED=${seed}`
  const file = path()
  await using db = await openSessions(file)
  const store = new SessionStore(db)
  const [shared, ...tokens] = await Promise.all(Array.from({ length: 7 }, () => store.create('ada')))
  const children = [0, 1, 2].map((n) =>
    startChild('examples/programs/session-user.ts', {
      path: file,
      own: tokens.slice(2 * n, 2 * n + 2),
      shared,
      seed: seed + n,
    }),
  )
  for (const child of children) expect(await child.message()).toBe('busy')
  expect(await store.destroyAll('ada'), replay).toBe(7)

  for (const child of children) child.send('destroyed')
  for (const child of children) {
    let message = await child.message<'busy' | { readonly back: readonly number[] }>()
    while (message === 'busy') message = await child.message()
    expect(message.back, replay).toEqual([0, 0, 0])
    expect(await child.ended).toEqual([0, null])
  }
  expect(await db.repositories.sessions.count(), replay).toBe(0)
})
