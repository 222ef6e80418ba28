import { existsSync } from 'node:fs'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { assert, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { waitFor, waitUntil } from '../waiting.ts'
import { startCluster } from './cluster.ts'
import { byHand, newSchema, openAt, startProxy } from './database.ts'
import { poolerObstacle, startPooler } from './pooler.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const scores = z.object({ n: z.int() })

/** Writes, units of work, queries, a watcher and a snapshot, each as anywhere. */
async function expectAllToWork(first: string, second: string, schema = newSchema()): Promise<void> {
  const open = (address: string) =>
    Valkeyrie.withSchema(['scores', '*'], scores, { indexes: [{ on: 'n' }] }).open(address, { schema })
  const [db, other] = [await open(first), await open(second)]
  onTestFinished(async () => void (await Promise.all([db.close(), other.close()])))
  const seen: unknown[] = []
  const watching = (async () => {
    for await (const { key } of db.changes({ since: '0'.repeat(20) })) {
      if (key[0] === 'scores') seen.push(key[1])
      if (key[1] === 'last') break
    }
  })()
  const add = (to: typeof db) =>
    to.unitOfWork(async (unit) => {
      const { value } = await unit.repositories.scores.get('sum')
      await unit.repositories.scores.set('sum', { n: (value?.n ?? 0) + 1 })
    })
  for (let n = 0; n < 10; n++) {
    await Promise.all([add(db), add(other), db.atomic().sum(['total'], 1n).commit()])
    await Promise.all([other.repositories.scores.set(`s${n}`, { n }), db.repositories.scores.get(`s${n}`)])
  }
  await other.repositories.scores.set('last', { n: -1 })
  await waitFor('the last change', watching)
  expect(new Set(seen)).toEqual(new Set(['sum', 'last', ...Array.from({ length: 10 }, (_, n) => `s${n}`)]))
  expect((await db.repositories.scores.get('sum')).value).toEqual({ n: 20 })
  expect((await other.get(['total'])).value).toEqual(new KvU64(10n))
  const found = await db.snapshot((view) =>
    view.repositories.scores.findMany({ where: { n: { gte: 5 } }, orderBy: { n: 'asc' } }),
  )
  expect(found.map(({ value }) => value.n)).toEqual([5, 6, 7, 8, 9, 20])
}

describe.skipIf(url === '')('a server', () => {
  test.skipIf(poolerObstacle !== null)(
    `is reached through a pooler in transaction mode${poolerObstacle === null ? '' : `: ${poolerObstacle}`}`,
    async () => {
      const pooler = await startPooler(url)
      await expectAllToWork(pooler, pooler)
      // Two schemas behind one pooler, which share its connections.
      const [one, two] = [await openAt(pooler, newSchema()), await openAt(pooler, newSchema())]
      await Promise.all(
        [one, two].flatMap((db, n) => Array.from({ length: 30 }, (_, at) => db.set(['of', at], n))),
      )
      for (const [n, db] of [one, two].entries()) {
        const values = await Promise.all(Array.from({ length: 30 }, (_, at) => db.get(['of', at])))
        expect(values.map(({ value }) => value)).toEqual(values.map(() => n))
      }
    },
  )

  test.skipIf(poolerObstacle !== null)(
    'behind a pooler in statement mode is an error that says so',
    async () => {
      const pooler = await startPooler(url, { mode: 'statement' })
      await expect(Valkeyrie.open(pooler, { schema: newSchema() })).rejects.toMatchObject({
        code: 'DATABASE_OPEN',
        message: expect.stringMatching(/takes no transactions: let it pool by transaction or by session/),
      })
    },
  )

  test.skipIf(poolerObstacle !== null)(
    'with one connection behind a pooler serves a snapshot after the catalogue has changed',
    async () => {
      const schema = newSchema()
      const pooler = await startPooler(url, { size: 1 })
      const db = await openAt(pooler, schema)
      const read = () => db.snapshot((view) => view.get(['a']))
      await db.set(['a'], 1)
      await read()
      const schemas = Valkeyrie.withSchema(['scores', '*'], scores, { indexes: [{ on: 'n' }] })
      const other = await schemas.open(url, { schema })
      onTestFinished(() => other.close())
      expect((await waitFor('a snapshot', read())).value).toBe(1)
    },
  )

  const older = '/usr/lib/postgresql/15/bin'
  test.skipIf(!existsSync(older))(
    `may be of PostgreSQL 15${existsSync(older) ? '' : `: there is no ${older}`}`,
    async () => {
      const cluster = await startCluster({ programs: older })
      onTestFinished(() => cluster.end())
      const { rows } = await (await byHand(cluster.url)).query('show server_version')
      expect(rows[0].server_version).toMatch(/^15\./)
      await expectAllToWork(cluster.url, cluster.url)
    },
  )

  test('that dies hands its address to a standby, which has all that was acknowledged', async () => {
    const primary = await startCluster()
    onTestFinished(() => primary.end())
    const schema = newSchema()
    const first = await openAt(primary.url, schema)
    await first.set(['a'], 0)
    await primary.kill('SIGINT')
    const standby = await startCluster({ standbyOf: { url: primary.url, folder: primary.folder } })
    onTestFinished(() => standby.end())
    await primary.restart()
    const admin = await byHand(standby.url)
    const proxy = await startProxy(primary.url)
    let looks = 0
    const logger = {
      logQuery(statement: string) {
        if (statement.startsWith('select m.version from')) looks += 1
      },
    }
    const db = await openAt(proxy.url, schema, { connectTimeout: 120_000, logger })
    // A standby reads, and its watchers look for what the primary has committed.
    const reader = await openAt(standby.url, schema, { readOnly: true })
    const watched: unknown[] = []
    const watching = (async () => {
      for await (const [{ value }] of reader.watch([['a']])) {
        watched.push(value)
        if (value === 3) break
      }
    })()
    for (const n of [1, 2, 3]) await db.set(['a'], n)
    await waitFor('what the primary has committed', watching)

    const writer = await byHand(primary.url)
    const hasCome = async (what: 'receive' | 'replay') => {
      const { rows } = await writer.query('select pg_current_wal_lsn() as at')
      await waitUntil(`the ${what} of the standby`, async () => {
        const { rows: found } = await admin.query(`select pg_last_wal_${what}_lsn() >= $1 as is_there`, [
          rows[0].at,
        ])
        return found[0].is_there
      })
    }
    await hasCome('replay')
    const feed = db.changes({ prefix: [] }).getReader()
    const next = feed.read()
    await admin.query('select pg_wal_replay_pause()')
    const { versionstamp } = await db.set(['a'], 4)
    expect(await next).toMatchObject({ value: { value: 4 } })
    await hasCome('receive')
    const after = feed.read()
    // What comes next is known to the standby only, which has not come as far as this.
    const later = reader.changes({ prefix: [], since: versionstamp }).getReader()
    const afterOnStandby = later.read()
    await primary.kill()
    proxy.retarget(standby.url)
    // What the standby shows is older than what the feed has reported, until it goes on.
    expect((await db.get(['a'])).value).toBe(3)
    looks = 0
    await waitUntil('looks at its newest version', () => looks > 5)
    const writing = db.atomic().sum(['n'], 1n).commit()
    await admin.query('select pg_wal_replay_resume()')
    await admin.query('select pg_promote()')
    const outcome = await waitFor('the commit', writing)
    assert(outcome.ok)
    expect(await waitFor('the next change', after)).toMatchObject({ value: { key: ['n'] } })
    expect(await waitFor('the next change of the standby', afterOnStandby)).toMatchObject({
      value: { key: ['n'] },
    })
    await Promise.all([feed.cancel(), later.cancel()])
    const [a, n] = await db.getMany([['a'], ['n']])
    expect([a.value, n.value]).toEqual([4, new KvU64(1n)])
  })
})
