import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import { DatabaseBusyError, KvU64, Valkeyrie } from 'valkeyrie'
import { openKv } from 'valkeyrie/deno'
import { unstorageDriver } from 'valkeyrie/unstorage'
import { assert, describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { next } from '../conformance/watching.ts'
import { extent } from '../extent.ts'
import { waitFor, waitUntil } from '../waiting.ts'
import { startCluster } from './cluster.ts'
import { byHand, impatiently, newSchema, openAt, startProxy, terminate } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''

describe.skipIf(url === '')('a database on a server', () => {
  test('whose connections are ended again and again neither loses nor repeats a commit', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const admin = await byHand(url)
    const rounds = extent('rounds of ended connections', 12, 30)
    let done = 0
    let isOver = false
    const adds = Array.from({ length: 8 }, async (_, writer) => {
      for (; !isOver; done++) await db.atomic().sum(['total'], 1n).sum(['of', writer], 1n).commit()
    })
    for (let round = 0; round < rounds; round++) {
      const state = round % 2 === 0 ? 'active' : '%'
      await waitUntil(
        'a commit to harm',
        async () =>
          (await terminate(admin, schema, '%kv_commit_1%', state)) > 0 ||
          (await terminate(admin, schema, 'with m as%', state)) > 0,
      )
      // Without a pause, a slow machine would never get a commit through.
      const before = done
      await waitUntil('a commit that gets through', () => done > before)
    }
    isOver = true
    await Promise.all(adds)
    expect((await db.get(['total'])).value).toEqual(new KvU64(BigInt(done)))
  })

  test('that is set up is open after few round trips', async () => {
    const schema = newSchema()
    const posts = Valkeyrie.withSchema(['posts', '*'], z.object({ text: z.string() }), {
      indexes: [{ on: 'text', unique: true }],
      search: ['text'],
    })
    await (await posts.open(url, { schema })).close()
    const proxy = await startProxy(url)
    const db = await posts.open(proxy.url, { schema })
    // Three of them greet the server and log in.
    expect(proxy.rounds).toBeLessThanOrEqual(6)
    await db.close()
  })

  test('gives a backlog of changes after few round trips', async () => {
    const schema = newSchema()
    const filling = await openAt(url, schema)
    for (let n = 0; n < 10; n++) {
      const commit = filling.atomic()
      for (let i = 0; i < 100; i++) commit.set(['row', n, i], i)
      await commit.commit()
    }
    const proxy = await startProxy(url)
    const db = await openAt(proxy.url, schema)
    const before = proxy.rounds
    let last: unknown
    for await (const { key, value } of db.changes({ since: '0'.repeat(20) })) {
      last = value
      if (key[1] === 9 && key[2] === 99) break
    }
    expect(last).toBe(99)
    // Eleven of them for values; beside the log, a feed begins to follow the commits of others.
    expect(proxy.rounds - before).toBeLessThanOrEqual(30)
  })

  test('has what it does often planned once by the server, whatever the keys and the number of rows', async () => {
    const connect = vi.spyOn(pg.Client.prototype, 'connect')
    onTestFinished(() => connect.mockRestore())
    const db = await openAt(url, newSchema(), { connections: 3, log: { keepRows: 2 } })
    const keys = Array.from({ length: 40 }, (_, i) => ['total', i])
    for (const [i, key] of keys.entries()) {
      await db.atomic().sum(key, 1n).sum(['total'], 1n).commit()
      await db.getMany([key, keys[i >> 1]!])
    }
    const changes = db.changes().getReader()
    for (const [i, key] of keys.entries()) {
      await db.atomic().set(key, i).set(['last'], i).commit()
      await next(changes)
      await next(changes)
    }
    await changes.cancel()
    const clients = connect.mock.contexts as pg.Client[]
    const text = `select name, generic_plans::int as once, custom_plans::int as anew from pg_prepared_statements`
    // The connections that followed the commits have ended.
    const found = await Promise.allSettled(clients.map((client) => client.query(text)))
    const plans = found.flatMap((found) => (found.status === 'fulfilled' ? found.value.rows : []))
    for (const kind of ['facts_of_few', 'get_few', 'rows_of_versions', 'trim']) {
      const kept = plans.filter(({ name }) => name.startsWith(`valkeyrie_${kind}_`))
      expect(Math.max(...kept.map(({ once }) => once)), kind).toBeGreaterThan(0)
      // So many times the server plans any statement anew before it compares the costs.
      expect(Math.max(...kept.map(({ anew }) => anew)), kind).toBeLessThanOrEqual(5)
    }
  })

  test('whose answers to commits are lost finds out which were done', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const db = await openAt(proxy.url, schema)
    for (let n = 1; n <= 20; n++) {
      proxy.dropAnswers(n % 3)
      const outcome = await db.atomic().sum(['total'], 1n).set(['last'], n).commit()
      assert(outcome.ok)
      expect((await db.get(['last'])).versionstamp).toBe(outcome.versionstamp)
    }
    expect((await db.get(['total'])).value).toEqual(new KvU64(20n))
    expect(proxy.harmed).toBeGreaterThan(10)
    const { rows } = await (await byHand(url)).query(`select version from ${schema}.kv_log order by version`)
    expect(rows.map(({ version }) => Number(version))).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
  })

  test('does not commit twice what arrives late at the server', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const db = await openAt(proxy.url, schema)
    // After these it counts on nobody's coming between.
    for (let n = 0; n < 5; n++) await db.set(['total'], new KvU64(0n))
    proxy.holdRequests(1, 'commit_row')
    await db.atomic().sum(['total'], 1n).commit()
    await db.set(['other'], 1)
    await proxy.deliver()
    expect((await db.get(['total'])).value).toEqual(new KvU64(1n))
    expect(proxy.harmed).toBe(1)

    proxy.holdRequests(1, 'commit_row')
    await db.atomic().set(['blind'], 1).commit()
    await db.set(['blind'], 2)
    await proxy.deliver()
    expect((await db.get(['blind'])).value).toBe(2)

    // Others have come before it, and it has failed: what arrives late does not change that.
    const other = await openAt(url, schema)
    proxy.holdRequests(1)
    const inserting = db
      .atomic()
      .check({ key: ['new'], versionstamp: null })
      .set(['new'], 'late')
      .commit()
    await waitUntil('the request', () => proxy.harmed === 3)
    await other.set(['new'], 'first')
    const outcome = await inserting
    if (!outcome.ok) await other.delete(['new'])
    await proxy.deliver()
    expect((await other.get(['new'])).value).toBe(outcome.ok ? 'first' : null)
  })

  test('that cannot be reached again says that the commit is unknown', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const [db] = await impatiently((connectTimeout) => openAt(proxy.url, schema, { connectTimeout }))
    await db.set(['a'], 1)
    proxy.dropAnswers(1)
    const writing = db.set(['a'], 2).catch((error) => error)
    await waitUntil('the cut', () => proxy.harmed === 1)
    proxy.refuse()
    const error = await writing
    // It may have been found out before nobody could any more.
    if (error instanceof Error) expect(error).toMatchObject({ code: 'CONNECTION', written: null })
    await expect(db.get(['a'])).rejects.toMatchObject({ code: 'CONNECTION', written: false })
  })

  test('works if the isolation level of its connections differs', async () => {
    const strict = new URL(url)
    strict.searchParams.set('options', '-c default_transaction_isolation=serializable')
    const schema = newSchema()
    const dbs = await Promise.all([openAt(strict.href, schema), openAt(strict.href, schema)])
    await Promise.all(
      dbs.flatMap((db) =>
        Array.from({ length: 20 }, () =>
          db.unitOfWork(
            async (unit) => {
              const { value } = await unit.get(['n'])
              await unit.set(['n'], Number(value ?? 0) + 1)
            },
            { retries: 1_000 },
          ),
        ),
      ),
    )
    expect((await dbs[0].get(['n'])).value).toBe(40)
    await dbs[1].set(['e'], 1, { expireIn: 1 })
    await waitUntil('the expiry', async () => (await dbs[1].get(['e'])).value === null)
    await dbs[1].cleanup()
    await dbs[0].clear()
    expect(await Array.fromAsync(dbs[1].list({ prefix: [] }))).toEqual([])
  })

  test('works if the server reads texts and shows names otherwise, and takes settings beside its own', async () => {
    const name = `settings_${randomBytes(8).toString('hex')}`
    const admin = await byHand(url)
    await admin.query(`create database ${name}`)
    for (const setting of [
      'standard_conforming_strings = off',
      'quote_all_identifiers = on',
      "plpgsql.extra_errors = 'all'",
      'default_transaction_isolation = serializable',
    ])
      await admin.query(`alter database ${name} set ${setting}`)
    const address = new URL(url)
    address.pathname = `/${name}`
    address.searchParams.set('options', '-c work_mem=123kB')
    const store = Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }), {
      indexes: [{ on: 'name', unique: true }],
      search: { on: ['name'] },
    })
    const sent: string[] = []
    await using db = await store.open(address.href, { logger: { logQuery: (text) => void sent.push(text) } })
    sent.length = 0
    const { users } = db.repositories
    await users.insert('ann', { name: 'Änn \\d walks' })
    await expect(users.insert('bob', { name: 'Änn \\d walks' })).rejects.toMatchObject({
      code: 'UNIQUE_CONSTRAINT',
    })
    expect(await users.count({ where: { $search: 'ann walks' } })).toBe(1)
    expect(sent).not.toContainEqual(expect.stringMatching(/^begin isolation/))
  })

  test('waits for a lock that others hold, and no longer than it may', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    await db.set(['a'], 1)
    const other = await byHand(url)
    await other.query(`begin; select * from ${schema}.kv_meta for update`)
    for (const busyTimeout of [10, 0]) {
      const hasty = await openAt(url, schema, { busyTimeout })
      await expect(hasty.set(['a'], 2)).rejects.toThrow(DatabaseBusyError)
      expect((await hasty.get(['a'])).value).toBe(1)
    }
    await other.query('rollback')
    await db.set(['a'], 3)
    expect((await db.get(['a'])).value).toBe(3)
  })

  test('expires rows by the clock of the server', async () => {
    const schema = newSchema()
    const plain = await openAt(url, schema)
    const hour = 3_600_000
    const now = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: now + hour })
    onTestFinished(() => void vi.useRealTimers())
    const ahead = await openAt(url, schema)
    await ahead.set(['a'], 1, { expireIn: hour / 2 })
    expect((await plain.get(['a'])).value).toBe(1)
    const storage = unstorageDriver(ahead)
    await storage.setItem!('k', '1', { ttl: 20 })
    expect(await storage.getMeta!('k', {})).toMatchObject({ ttl: 20 })
    using kv = await openKv(`${url}?schema=${schema}`)
    await kv.set(['d'], 1, { expireIn: hour / 2 })
    const { expiresAt } = await ahead.get(['d'])
    expect(Math.abs(expiresAt! - now - hour / 2)).toBeLessThan(hour / 4)
    vi.setSystemTime(now - hour)
    const behind = await openAt(url, schema)
    await behind.set(['b'], 1, { expireIn: 1 })
    await waitUntil('the expiry', async () => (await plain.get(['b'])).value === null)
    expect((await behind.get(['a'])).value).toBe(1)
  })

  test('reports an expired row to watchers and feeds', async () => {
    const db = await openAt(url, newSchema())
    const { versionstamp } = await db.set(['a'], 1)
    const watched = db.watch([['a']]).getReader()
    expect((await next(watched))[0].value).toBe(1)
    const changes = db.changes({ since: versionstamp }).getReader()
    await db.set(['a'], 1, { expireIn: 1 })
    while ((await next(watched))[0].value !== null);
    const told: string[] = []
    while (told.at(-1) !== 'expire') told.push((await next(changes)).type)
    expect(told).toEqual(['set', 'expire'])
  })

  test('orders keys and texts by their bytes, whatever the collation of the server is', async () => {
    const admin = await byHand(url)
    const name = newSchema()
    await admin.query(
      `create database ${name} template template0 locale_provider icu icu_locale 'en-US' encoding 'UTF8'`,
    )
    const address = new URL(url)
    address.pathname = `/${name}`
    const db = await Valkeyrie.open(address, { schema: 'Übung' })
    const words = ['a', 'B', 'b', 'A', 'é', 'z', '_', 'Z']
    await Promise.all(words.map((word) => db.set([word], word)))
    const found = await Array.fromAsync(db.list({ prefix: [] }), ({ value }) => value)
    expect(found).toEqual(words.toSorted())
    await db.destroy()
  })

  test('shows no password, whatever fails', async () => {
    const address = new URL(url)
    address.password = 'wrong-secret'
    const error = await Valkeyrie.open(address).then(
      () => assert.fail('it was opened'),
      (reason) => reason,
    )
    expect(error).toMatchObject({
      code: 'DATABASE_OPEN',
      message: expect.stringMatching(/refuses the user or the password/),
    })
    expect(inspect(error, { depth: 10 })).not.toContain('wrong-secret')
    const db = await openAt(url, newSchema())
    expect(inspect(db, { depth: 10, showHidden: true })).not.toContain(new URL(url).password)
  })

  test('gives Drizzle for PostgreSQL, and its tables', async () => {
    const address = url as `postgres://${string}`
    await using db = await Valkeyrie.open(address, { schema: newSchema() })
    await db.set(['a'], { name: 'Ann' })
    const { kv, kvLog } = db.tables
    const name = sql<string>`${kv.value} ->> 'name'`
    expect(await db.drizzle.select({ name, version: kv.version }).from(kv)).toEqual([
      { name: 'Ann', version: 1 },
    ])
    expect(await db.drizzle.select({ keys: kvLog.keys }).from(kvLog)).toMatchObject([
      { keys: [expect.any(Buffer)] },
    ])
  })

  test('that is opened with readOnly refuses writes, and reads', async () => {
    const schema = newSchema()
    await expect(openAt(url, schema, { readOnly: true })).rejects.toMatchObject({ code: 'DATABASE_OPEN' })
    const db = await openAt(url, schema)
    await db.set(['a'], 1)
    const reader = await openAt(url, schema, { readOnly: true })
    expect((await reader.get(['a'])).value).toBe(1)
    await expect(reader.set(['a'], 2)).rejects.toMatchObject({ code: 'STORAGE', engineCode: '25006' })
    await expect(reader.clear()).rejects.toMatchObject({ code: 'STORAGE' })
  })

  test('has as many units of work at a time as there are connections to spare, and others wait', async () => {
    const db = await openAt(url, newSchema(), { connections: 3, busyTimeout: 600_000 })
    await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        db.unitOfWork(async (unit) => {
          await unit.get(['read', n])
          await unit.set(['n', n], n)
        }),
      ),
    )
    expect(await Array.fromAsync(db.list({ prefix: ['n'] }), ({ value }) => value)).toHaveLength(12)
  })

  test('disappears with its schema when it is destroyed', async () => {
    const schema = newSchema()
    const db = await Valkeyrie.open(url, { schema, destroyOnClose: true })
    await db.set(['a'], 1)
    await db.close()
    const { rows } = await (await byHand(url)).query('select from pg_namespace where nspname = $1', [schema])
    expect(rows).toEqual([])
  })
})

describe.skipIf(url === '')('a watcher', () => {
  test('continues after its connection was ended, and reports each commit once', async () => {
    const schema = newSchema()
    const [db, other] = await Promise.all([openAt(url, schema), openAt(url, schema)])
    const admin = await byHand(url)
    const told: unknown[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const watching = (async () => {
      for await (const change of db.changes({ since: '00000000000000000000' })) {
        told.push(change.key[1])
        if (told.length === 60) break
      }
      resolve()
    })()
    for (let n = 0; n < 60; n++) {
      await other.set(['n', n], n)
      if (n % 15 === 7) await terminate(admin, schema, 'listen%')
    }
    await waitFor('all changes', promise)
    await watching
    expect(told).toEqual(Array.from({ length: 60 }, (_, n) => n))
  })
})

describe.skipIf(url === '')('a server of its own', () => {
  test('that dies under its writers and is started again has all that was acknowledged, once', async () => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.end())
    const schema = newSchema()
    const db = await openAt(cluster.url, schema, { connectTimeout: 120_000 })
    const kills = extent('kills of a server', 2, 20)
    let rounds = 0
    const acknowledged = new Array(8).fill(0)
    let isOver = false
    const writing = acknowledged.map(async (_, writer) => {
      while (!isOver) {
        await db.atomic().sum(['of', writer], 1n).commit()
        acknowledged[writer] += 1
      }
    })
    for (; rounds < kills; rounds++) {
      const before = acknowledged[0]
      await waitUntil('some commits', () => acknowledged[0] > before + 5)
      await cluster.kill()
      await cluster.restart()
    }
    isOver = true
    await Promise.all(writing)
    for (const [writer, count] of acknowledged.entries())
      expect((await db.get(['of', writer])).value).toEqual(new KvU64(BigInt(count)))
  })
})
