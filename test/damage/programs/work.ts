// Uses damaged files, one at a time, in every way that a database offers. Every failure must be a KvError.
import { rmSync } from 'node:fs'
import { KvError, Valkeyrie } from 'valkeyrie'
import { damagedFile, schemas } from '../damage.ts'
import type { Worked } from '../fuzz.ts'

const { folder, sound } = JSON.parse(process.argv[2]!) as { folder: string; sound: string[] }
const mostRows = 20_000

/** Errors that a sound value of another kind causes, too: they show no damage. */
const misuse = /Only the fields of an object can be patched|needs a KvU64/

async function work(path: string, seed: number): Promise<Pick<Worked, 'untyped' | 'outcome'>> {
  const untyped: string[] = []
  let failures = 0
  let verified: Awaited<ReturnType<typeof Valkeyrie.verify>> | undefined
  const attempt = async <T>(what: string, call: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await call()
    } catch (error) {
      failures += 1
      if (verified?.sound && /^CORRUPT/.test((error as KvError).code)) {
        untyped.push(`${what} finds what verify does not: ${error}`)
      }
      if (!(error instanceof KvError) && !misuse.test(String(error)))
        untyped.push(`${what}: ${error instanceof Error ? error.stack : String(error)}`)
      return undefined
    }
  }
  const first = async <T>(stream: ReadableStream<T>, items: number) => {
    const reader = stream.getReader()
    try {
      for (let n = 0; n < items; n++) await reader.read()
    } finally {
      await reader.cancel().catch(() => {})
    }
  }
  const all = async (rows: AsyncIterable<unknown>) => {
    let count = 0
    for await (const _ of rows) if (++count > mostRows) throw new Error('a listing does not end')
  }
  verified = await attempt('verify', () => Valkeyrie.verify(path))
  const readOnly = seed % 5 === 0
  if (seed % 3 === 0) {
    const plain = await attempt('open without schemas', () => Valkeyrie.open(path, { readOnly }))
    if (plain !== undefined) {
      await attempt('list', () => all(plain.list({ prefix: [] })))
      await attempt('close', () => plain.close())
    }
  }
  const db = await attempt('open', () => schemas.open(path, { readOnly, log: { values: true } }))
  if (db === undefined) return { untyped, outcome: 'refused' }
  const { users, posts } = db.repositories
  await attempt('get', () => users.get('u1'))
  await attempt('getMany', () => db.getMany([['count'], ['misc', 1], ['misc', 4], ['users', 'u6']]))
  await attempt('list', () => all(db.list({ prefix: [] })))
  await attempt('list reverse', () => all(users.list({}, { reverse: true })))
  await attempt('findMany', () =>
    users.findMany({ where: { age: { gte: 2 } }, orderBy: { age: 'desc' }, with: { posts: true } }),
  )
  await attempt('findPage', () => users.findPage({ orderBy: { age: 'asc' }, limit: 5 }))
  await attempt('count', () => users.count())
  await attempt('count where', () => users.count({ where: { email: 'e5' } }))
  await attempt('aggregate', () => users.aggregate({ groupBy: 'age', count: true, max: 'age', min: 'born' }))
  await attempt('watch', () => first(db.watch([['users', 'u1'], ['count']]), 1))
  await attempt('watchMany', () => first(users.watchMany({ where: { age: 3 } }), 1))
  const changes = db.changes({ since: '0'.repeat(20) })
  const feed = attempt('changes', () => first(changes, 30))
  await attempt('unit', () =>
    db.unitOfWork(
      async (unit) => {
        const entry = await unit.repositories.users.get('u2')
        for (const found of await unit.repositories.users.findMany({ where: { age: { lt: 3 } }, limit: 3 }))
          found.value.age += 1
        await all(unit.list({ prefix: ['misc'] }))
        if (entry.value !== null) entry.value.age += 1
        await unit.set(['misc', 'unit'], 1)
      },
      { retries: 3 },
    ),
  )
  await attempt('set', () => users.set('new', { email: `n${seed}`, age: 1 }))
  await attempt('update', () => users.update('u5', { age: 50 }))
  await attempt('updateMany', () => users.updateMany({ where: { age: 4 }, set: { age: 5 } }))
  await attempt('sum', () => db.atomic().sum(['count'], 1n).commit())
  await attempt('delete', () => posts.delete(['u9', 9]))
  // So many that the feed has what it waits for.
  for (let n = 0; n < 30; n++)
    if ((await attempt('sets', () => db.set(['misc', 'late'], n))) === undefined) break
  await Promise.race([feed, attempt('cleanup', () => db.cleanup()).then(() => changes.locked && undefined)])
  await attempt('clear', () => db.clear())
  await attempt('close', () => db.close())
  await feed
  return { untyped, outcome: failures === 0 ? 'worked' : 'failed' }
}

process.on('message', async (seed: number) => {
  const path = `${folder}/${seed}.db`
  const did = damagedFile(sound, path, seed)
  const report: Worked = { seed, did, ...(await work(path, seed)) }
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
  process.send!(report)
})
process.send!('ready')
