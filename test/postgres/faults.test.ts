import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { KvU64, SnapshotExpiredError, Valkeyrie } from 'valkeyrie'
import { assert, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { next } from '../conformance/watching.ts'
import { patient, waitFor, waitUntil } from '../waiting.ts'
import { byHand, impatiently, newSchema, openAt, startProxy, terminate } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''

/** Ends what runs a statement like this, or only the statement, once there is one. */
const openUsers = (schema: string) =>
  Valkeyrie.withSchema(['users', '*'], z.object({ n: z.int() })).open(url, { schema })

async function stop(admin: Awaited<ReturnType<typeof byHand>>, schema: string, how: 'cancel' | 'terminate') {
  await waitUntil('a statement that waits', async () => {
    const { rowCount } = await admin.query(
      `select pg_${how}_backend(pid) from pg_stat_activity
        where application_name = 'valkeyrie' and wait_event_type = 'Lock' and query like $1`,
      [`%${schema}%`],
    )
    return rowCount! > 0
  })
}

test('a server that ends a connection in the moment in which it is there is an error of open', async () => {
  const message = (type: string, body: string) => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(4 + body.length)
    return Buffer.concat([Buffer.from(type), length, Buffer.from(body, 'latin1')])
  }
  const [letIn, ready] = [message('R', '\0\0\0\0'), message('Z', 'I')]
  const ended = message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0')
  const dying = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(Buffer.concat([letIn, ready, ended])))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void dying.close())
  await once(dying, 'listening')
  const { port } = dying.address() as AddressInfo
  // Where nobody listens to the error, the process ends.
  const opening = Valkeyrie.open(`postgres://user@127.0.0.1:${port}/none`)
  await expect(opening).rejects.toMatchObject({ code: 'DATABASE_OPEN' })
})

describe.skipIf(url === '')('a unit of work', () => {
  test('whose connection dies in the middle runs again, and commits once', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const admin = await byHand(url)
    await db.set(['n'], 1)
    let runs = 0
    await db.unitOfWork(async (unit) => {
      runs += 1
      const { value } = await unit.get(['n'])
      if (runs < 3) {
        await waitUntil('the end of its connection', async () => (await terminate(admin, schema)) > 0)
      }
      await unit.get(['other'])
      await unit.set(['n'], Number(value) + 1)
    })
    expect(runs).toBe(3)
    expect((await db.get(['n'])).value).toBe(2)
  })

  test('that may not run again, or has failed by itself, does not', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const admin = await byHand(url)
    let runs = 0
    const cut = async () => {
      runs += 1
      await waitUntil('the end of its connection', async () => (await terminate(admin, schema)) > 0)
    }
    const once = db.unitOfWork(
      async (unit) => {
        await unit.get(['a'])
        await cut()
        await unit.get(['b'])
      },
      { retries: 0 },
    )
    await expect(once).rejects.toMatchObject({ code: 'CONNECTION', written: false })
    const own = db.unitOfWork(async (unit) => {
      await unit.get(['a'])
      await cut()
      throw new Error('of its own')
    })
    await expect(own).rejects.toThrow('of its own')
    expect(runs).toBe(2)
  })

  test('asks for nothing that it has read', async () => {
    const statements: string[] = []
    const logger = { logQuery: (statement: string) => void statements.push(statement) }
    const db = await openAt(url, newSchema(), { logger })
    await db.set(['n'], 1)
    statements.length = 0
    await db.unitOfWork(async (unit) => {
      const { value } = await unit.get(['n'])
      await unit.set(['n'], Number(value) + 1)
      await unit.delete(['n', Number(value)])
    })
    const kinds = ['kv_commit_1', 'from "', 'begin', 'commit']
    const asked = statements.map((statement) => kinds.find((kind) => statement.includes(kind)))
    expect(asked.filter((kind) => kind === 'kv_commit_1')).toHaveLength(1)
    // The state and the value, with what begins the transaction; the key that is deleted; nothing for the commit.
    expect(asked.filter((kind) => kind === 'from "')).toHaveLength(3)
  })
})

describe.skipIf(url === '')('a snapshot', () => {
  test('outlives a read that the server refuses', async () => {
    const schema = newSchema()
    const users = z.object({ name: z.string() })
    const db = await Valkeyrie.withSchema(['users', '*'], users).open(url, { schema })
    onTestFinished(() => db.close())
    await db.set(['a'], 1)
    await db.repositories.users.set('ann', { name: 'Ann' })
    // By hand, somebody has written what the server stores and cannot look into.
    await (await byHand(url)).query(
      `update "${schema}".kv set value = '{"name":"\\u0000"}' where collection = 'users'`,
    )
    const found = await db.snapshot(async (view) => {
      const before = (await view.get(['a'])).value
      await db.set(['a'], 2)
      const reads = await Promise.allSettled([
        view.repositories.users.findMany({ where: { name: 'Ann' } }),
        view.get(['a']),
        view.getMany([['a'], ['b']]),
      ])
      return [before, reads, (await view.get(['a'])).value] as const
    })
    expect(found[0]).toBe(1)
    expect(found[1]).toMatchObject([
      { status: 'rejected', reason: { code: 'STORAGE', engineCode: '22P05' } },
      { status: 'fulfilled', value: { value: 1 } },
      { status: 'fulfilled', value: [{ value: 1 }, { value: null }] },
    ])
    expect(found[2]).toBe(1)
  })
})

describe.skipIf(url === '')('a database whose row of kv_meta was deleted', () => {
  test('says so, and works again once it is opened again', async () => {
    const schema = newSchema()
    const open = () => openUsers(schema)
    await using db = await open()
    const { users } = db.repositories
    const { versionstamp } = await users.insert('a', { n: 1 })
    await (await byHand(url)).query(`delete from "${schema}".kv_meta`)
    const calls: (() => Promise<unknown>)[] = [
      () => users.set('a', { n: 2 }),
      () => users.insert('b', { n: 2 }),
      () => users.delete('b'),
      () => db.unitOfWork((unit) => unit.repositories.users.get('a')),
      () =>
        db
          .watch([['users', 'a']])
          .getReader()
          .read(),
      () => users.changes().getReader().read(),
      () => db.clear(),
    ]
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({
        code: 'STORAGE',
        engineCode: 'XX001',
        message: expect.stringContaining('The row of kv_meta, which has the newest version, is missing'),
      })

    await using other = await open()
    const next = await other.repositories.users.insert('b', { n: 2 })
    expect(next.versionstamp > versionstamp).toBe(true)
    expect((await users.set('a', { n: 2 })).versionstamp > next.versionstamp).toBe(true)
  })
})

describe.skipIf(url === '')(
  'a database whose kv_meta has another version of the catalogue than its collections',
  () => {
    test('goes on', async () => {
      const schema = newSchema()
      await using db = await openUsers(schema)
      const { users } = db.repositories
      await users.insert('a', { n: 1 })
      await (await byHand(url)).query(`update "${schema}".kv_meta set catalog = version + 5`)
      await users.set('a', { n: 2 })
      expect(await users.findMany({ where: { n: 2 } })).toHaveLength(1)
      await using other = await openUsers(schema)
      await other.repositories.users.update('a', { n: 3 })
      expect(await users.count()).toBe(1)
    })
  },
)

describe.skipIf(url === '')('a database that is set up', () => {
  test('is set up again after a deadlock with others', async () => {
    const schema = newSchema()
    await using db = await openUsers(schema)
    await db.repositories.users.insert('a', { n: 1 })
    const other = await byHand(url)
    await other.query(
      `begin; set local deadlock_timeout = '1min'; update "${schema}".kv set version = version`,
    )
    const indexed = Valkeyrie.withSchema(['users', '*'], z.object({ n: z.number() }), {
      indexes: [{ on: 'n' }],
    }).open(`${url}?schema=${schema}`)
    const admin = await byHand(url)
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%index%kv_users_n%'`
    await waitUntil('the index', async () => (await admin.query(waiting)).rows.length > 0)
    await other.query(`select from "${schema}".kv_meta for update`)
    await other.query('rollback')
    await using opened = await indexed
    expect(await opened.repositories.users.findMany({ where: { n: 1 } })).toHaveLength(1)
  })
})

describe.skipIf(url === '')('a snapshot', () => {
  test('expires while its first reads wait, too', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema, { snapshotTimeout: 500 })
    await db.set(['a'], 1)
    const read = () => db.snapshot((view) => Promise.all([view.get(['a']), view.get(['b'])]))
    const readInTime = async () => {
      for (;;) {
        const [outcome] = await Promise.allSettled([read()])
        if (outcome.status === 'fulfilled') return outcome.value
        // A slow machine may need several.
        expect(outcome.reason).toBeInstanceOf(SnapshotExpiredError)
      }
    }
    await readInTime()
    const admin = await byHand(url)
    await admin.query(`begin; lock table "${schema}".kv`)
    const refused = waitFor('the end of the snapshot', Promise.allSettled([read()]))
    expect(await refused).toMatchObject([{ reason: { code: 'SNAPSHOT_EXPIRED' } }])
    await admin.query('rollback')
    expect((await db.stats()).oldestSnapshot).toBeNull()
    expect(await readInTime()).toMatchObject([{ value: 1 }, { value: null }])
  })
})

describe.skipIf(url === '')('a database that is restored to an older state while it is open', () => {
  test('tells its watchers, and ends its feeds', async () => {
    const schema = newSchema()
    const open = () => openUsers(schema)
    await using db = await open()
    const { users } = db.repositories
    const { versionstamp } = await users.set('ann', { n: 1 })
    for (let n = 2; n < 10; n++) await users.set('ann', { n })
    const values = db.watch([['users', 'ann']]).getReader()
    const results = users.watchMany().getReader()
    const feed = users.changes().getReader()
    await values.read()
    await results.read()
    /** The restored state may be seen before the next write to it. */
    const untilBob = async () => {
      for (;;) {
        const { value } = await results.read()
        if (value!.length === 2) return value
      }
    }
    const next = [values.read(), untilBob(), feed.read()] as const
    next[2].catch(() => {})

    await (await byHand(url)).query(`begin;
      delete from "${schema}".kv_log where version > ${BigInt(`0x${versionstamp}`)};
      update "${schema}".kv_meta set version = ${BigInt(`0x${versionstamp}`)};
      update "${schema}".kv set version = ${BigInt(`0x${versionstamp}`)}, value = '{"n":1}';
      commit`)
    await using other = await open()
    await other.repositories.users.set('bob', { n: 1 })

    const read = waitFor('what was restored', Promise.allSettled(next))
    expect(await read).toMatchObject([
      { value: { value: [{ value: { n: 1 } }] } },
      { value: [{ id: 'ann', value: { n: 1 } }, { id: 'bob' }] },
      { reason: { name: 'RangeError', message: expect.stringContaining('an older state was restored') } },
    ])
    await Promise.all([values.cancel(), results.cancel()])
  })
})

describe.skipIf(url === '')('a read', () => {
  test('that was lost after it had taken longer than connectTimeout is made again', async () => {
    const schema = newSchema()
    const users = { pattern: ['users', '*'] as const, schema: z.object({ n: z.int() }) }
    const [db, connectTimeout] = await impatiently((connectTimeout) =>
      Valkeyrie.withSchema(users.pattern, users.schema).open(url, { schema, connectTimeout }),
    )
    onTestFinished(() => db.close())
    const admin = await byHand(url)
    const other = await byHand(url)
    await db.repositories.users.set('a', { n: 1 })
    await admin.query(`begin; lock table "${schema}".kv`)
    const reading = db.repositories.users.findMany()
    await other.query('select pg_sleep($1)', [connectTimeout / 1_000 + 0.1])
    await stop(other, schema, 'terminate')
    await admin.query('rollback')
    expect(await reading).toMatchObject([{ id: 'a', value: { n: 1 } }])
  })

  test('does not wait behind a write that waits for a lock', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema, patient)
    const admin = await byHand(url)
    await db.set(['a'], 1)
    // So many at a time have further connections made.
    await Promise.all(Array.from({ length: 50 }, (_, n) => db.get(['n', n])))
    await admin.query(`begin; select from "${schema}".kv_meta for update`)
    const writing = db.set(['a'], 2)
    expect((await waitFor('a read', db.get(['a']))).value).toBe(1)
    await admin.query('rollback')
    await writing
    expect((await db.get(['a'])).value).toBe(2)
  })
})

describe.skipIf(url === '')('a commit', () => {
  test('of a machine that has disappeared is rolled back by the server, which probes it', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const admin = await byHand(url)
    await admin.query(`
      create table ${schema}.noted as select name, setting from pg_settings limit 0;
      create function ${schema}.note() returns trigger language plpgsql as $$ begin
        insert into ${schema}.noted select name, setting from pg_settings
          where name in ('tcp_keepalives_idle', 'idle_in_transaction_session_timeout');
        return null;
      end $$;
      create trigger note after insert on ${schema}.kv_log for each row execute function ${schema}.note()`)
    await db.set(['a'], 1)
    const { rows } = await admin.query(`select name, setting from ${schema}.noted order by name`)
    expect(rows).toEqual([
      { name: 'idle_in_transaction_session_timeout', setting: '60000' },
      { name: 'tcp_keepalives_idle', setting: '10' },
    ])
  })

  test('that the server rolls back in favour of others runs again, as do sweeps and removals', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const admin = await byHand(url)
    // What others do is not undone with a transaction that is rolled back: neither is the value of a sequence.
    await admin.query(`
      create sequence ${schema}.writes;
      create function ${schema}.yield() returns trigger language plpgsql as $$ begin
        case nextval('${schema}.writes') % 3
          when 1 then raise 'a deadlock' using errcode = '40P01';
          when 2 then raise 'no serial order' using errcode = '40001';
          else return null;
        end case;
      end $$;
      create trigger yield after insert or delete on ${schema}.kv
        for each statement execute function ${schema}.yield()`)
    await db.set(['a'], 1)
    await db.set(['gone'], 1, { expireIn: 1 })
    expect((await db.atomic().sum(['total'], 1n).commit()).ok).toBe(true)
    await db.unitOfWork(async (unit) => unit.set(['a'], ((await unit.get(['a'])).value as number) + 1))
    expect((await db.get(['a'])).value).toBe(2)
    expect((await db.get(['total'])).value).toEqual(new KvU64(1n))
    await db.cleanup()
    const { rows } = await admin.query(`select count(*)::int as n from ${schema}.kv`)
    expect(rows).toEqual([{ n: 2 }])
    await db.clear()
    expect(await Array.fromAsync(db.list({ prefix: [] }))).toEqual([])
  })

  test('whose answers never come is given up, and none of its attempts commits later', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const [db] = await impatiently((connectTimeout) => openAt(proxy.url, schema, { connectTimeout }))
    await db.set(['a'], 0)
    proxy.dropAnswers(1_000_000)
    const error = await db.set(['a'], 1).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'CONNECTION', written: null })
    proxy.dropAnswers(0)

    proxy.holdRequests(1_000_000)
    const unsent = await db.set(['b'], 1).catch((reason) => reason)
    expect(unsent).toMatchObject({ code: 'CONNECTION', written: null })
    proxy.holdRequests(0)
    await proxy.deliver()
    const [b] = await db.getMany([['b']])
    expect([null, 1]).toContain(b.value)
  })

  test('that was given up before any of it arrived is known to have written nothing', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const [db] = await impatiently((connectTimeout) => openAt(proxy.url, schema, { connectTimeout }))
    await db.set(['a'], 0)
    // All of its attempts, and not what takes their place.
    proxy.holdRequests(1_000_000, 'something large')
    await expect(db.set(['a'], 'something large')).rejects.toMatchObject({
      code: 'CONNECTION',
      written: false,
    })
    expect(proxy.harmed).toBeGreaterThan(2)
    await proxy.deliver()
    expect((await db.get(['a'])).value).toBe(0)
  })

  test('whose answer was lost is unknown once the log no longer has it', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const db = await openAt(proxy.url, schema)
    const other = await openAt(url, schema)
    const admin = await byHand(url)
    await db.set(['a'], 0)
    proxy.delay(50)
    proxy.dropAnswers(1)
    const writing = db.set(['a'], 1).catch((reason) => reason)
    await waitUntil('the cut', () => proxy.harmed === 1)
    await other.set(['b'], 1)
    await other.set(['b'], 2)
    await admin.query(
      `delete from "${schema}".kv_log where version < (select max(version) from "${schema}".kv_log)`,
    )
    const outcome = await waitFor('the end of the commit', writing)
    // It may have been asked for before the log was trimmed.
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'CONNECTION', written: null })
    expect((await other.get(['a'])).value).toBe(1)
  })

  test('that a foreign index refuses is a StorageError', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const admin = await byHand(url)
    await admin.query(`create unique index on "${schema}".kv ((value ->> 'a'))`)
    await db.set(['a'], { a: 1 })
    await expect(db.set(['b'], { a: 1 })).rejects.toMatchObject({ code: 'STORAGE', engineCode: '23505' })
    await db.set(['c'], { a: 2 })
  })

  test('takes values of 16 MiB, and keys of 2,048 bytes, as they are', async () => {
    const db = await openAt(url, newSchema())
    const bytes = randomBytes(16 * 1024 * 1024)
    const text = `${'\0\u0001é\ud800"\\'.repeat(20_000)}${'plain'.repeat(3_000_000)}`
    // One byte before the part and one behind it. What is random does not get shorter in an index.
    const longKey = () => [randomBytes(2_046).map((byte) => byte || 1)]
    const [key, other] = [longKey(), longKey()]
    await Promise.all([db.set(key, bytes), db.set(other, text, { expireIn: 1e9 })])
    const [first, second] = await db.getMany([key, other])
    assert(first.value instanceof Uint8Array)
    expect(Buffer.compare(bytes, first.value)).toBe(0)
    expect(second.value === text).toBe(true)
    await db.delete(key)
    expect((await db.get(key)).value).toBe(null)
  })
})

describe.skipIf(url === '')('a server that is far away', () => {
  test('gets one request for a commit, and one for many of one turn', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const db = await openAt(proxy.url, schema)
    proxy.delay(20)
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) => db.atomic().sum(['total'], BigInt(n)).set(['n', n], n).commit()),
    )
    assert(outcomes.every(({ ok }) => ok))
    expect((await db.get(['total'])).value).toEqual(new KvU64(1225n))
    proxy.dropAnswers(1)
    await db.atomic().sum(['total'], 1n).commit()
    expect((await db.get(['total'])).value).toEqual(new KvU64(1226n))
  })

  test('gets the reads of a unit of work that are asked for at once together, and its end with what comes next', async () => {
    const proxy = await startProxy(url)
    const db = await openAt(proxy.url, newSchema())
    const units = 20
    const costOf = async (work: () => Promise<unknown>) => {
      const series: { readonly rounds: number; readonly answers: number }[] = []
      // A busy machine has a turn last so long that what comes after gives way: one of these series has few such turns.
      for (let n = 0; n < 5; n++) {
        const { rounds, answered } = proxy
        for (let run = 0; run < units; run++) await work()
        series.push({ rounds: proxy.rounds - rounds, answers: proxy.answered - answered })
      }
      return {
        rounds: Math.min(...series.map(({ rounds }) => rounds)),
        answers: Math.min(...series.map(({ answers }) => answers)),
      }
    }
    // One for the reads, and one for the commit; the sweep comes when it likes.
    const reading = await costOf(() =>
      db.unitOfWork((unit) => Promise.all([unit.get(['a']), unit.getMany([['b'], ['c']]), unit.get(['d'])])),
    )
    expect(reading.rounds).toBeLessThan(1.5 * units)
    expect(reading.answers).toBeLessThan(1.5 * units)
    const writing = await costOf(() =>
      db.unitOfWork(async (unit) => {
        await unit.get(['a'])
        await unit.set(['a'], 1)
      }),
    )
    expect(writing.rounds).toBeLessThan(2.5 * units)
    expect(writing.answers).toBeLessThan(2.5 * units)
  })

  test('gets no more requests than a call needs', async () => {
    const statements: string[] = []
    const logger = { logQuery: (statement: string) => void statements.push(statement) }
    const schema = z.object({ city: z.string(), n: z.int() })
    const db = await Valkeyrie.withSchema(['users', '*'], schema, { indexes: [{ on: 'city' }] }).open(url, {
      schema: newSchema(),
      logger,
    })
    onTestFinished(() => db.close())
    const { users } = db.repositories
    const asked = async (call: () => Promise<unknown>) => {
      statements.length = 0
      await call()
      // The sweep of what has expired comes when it likes.
      return statements.filter((one) => !/kv_sweep|min\(kv\.expires_at\)/.test(one)).length
    }
    const set = (n: number) => users.set(`u${n}`, { city: 'Rome', n })
    expect(await asked(() => set(1))).toBe(1)
    const together: number[] = []
    // A busy machine has a turn last so long that the sets after the first give way: one of these turns is short.
    for (let n = 0; n < 5; n++) together.push(await asked(() => Promise.all([set(2), set(3), set(4)])))
    expect(Math.min(...together)).toBe(1)
    expect(await asked(() => users.get('u1'))).toBe(1)
    expect(await asked(() => users.findMany({ where: { city: 'Rome' }, limit: 2 }))).toBe(1)
    expect(await asked(() => users.count({ where: { city: 'Rome' } }))).toBe(1)
    expect(await asked(() => users.count())).toBe(1)
    expect(await asked(() => Array.fromAsync(users.list()))).toBe(1)
    const swapped = await asked(() =>
      db.unitOfWork(async ({ repositories: { users } }) => {
        const [a, b] = [await users.get('u1'), await users.get('u2')]
        await users.set('u1', b.value!)
        await users.set('u2', a.value!)
      }),
    )
    // Three that begin the state and one that ends it, what it is of, two reads, and the commit.
    expect(swapped).toBe(8)
  })

  test('reports with each page, and without one, that others have changed the catalogue', async () => {
    const name = newSchema()
    const open = async () => {
      const db = await openUsers(name)
      onTestFinished(() => db.close())
      return db.repositories.users
    }
    const [found, none, counted, listed] = await Promise.all([open(), open(), open(), open()])
    await found.set('ann', { n: 1 })
    const admin = await byHand(url)
    await admin.query(`update "${name}".kv_collections set name = 'people'`)
    await admin.query(`update "${name}".kv_meta set catalog = version`)
    const calls = [
      () => found.findMany({ where: { n: 1 } }),
      () => none.findMany({ where: { n: 2 } }),
      () => counted.count(),
      () => Array.fromAsync(listed.list()),
    ]
    for (const call of calls) await expect(call()).rejects.toThrow("the database now names it 'people'")
  })
})

describe.skipIf(url === '')('the log', () => {
  test('of writes that go together has a row for each, with the keys that it has changed', async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const outcomes = await Promise.all([
      db.set(['a'], 1),
      db.atomic().set(['c'], 1).set(['b'], 2).commit(),
      db
        .atomic()
        .check({ key: ['none'], versionstamp: null })
        .commit(),
      ...Array.from({ length: 10 }, (_, n) => db.set(['n', n], n)),
    ])
    const { rows } = await (await byHand(url)).query(
      `select version::int, cardinality(keys) as keys, octet_length(kinds) as kinds from "${schema}".kv_log order by version`,
    )
    const keys = [1, 2, 0, ...Array(10).fill(1)]
    expect(rows).toEqual(keys.map((keys, place) => ({ version: place + 1, keys, kinds: keys })))
    const versions = outcomes.map((outcome) => outcome.ok && Number(`0x${outcome.versionstamp}`))
    expect(versions).toEqual(rows.map(({ version }) => version))
    expect((await db.get(['c'])).versionstamp).toBe((await db.get(['b'])).versionstamp)
  })

  test.each([false, true])(
    'of sets and deletes of one turn tells them apart, with the values that it keeps: %s',
    async (values) => {
      const statements: string[] = []
      const logger = { logQuery: (statement: string) => void statements.push(statement) }
      const db = await openAt(url, newSchema(), { logger, log: { values } })
      for (let n = 0; n < 5; n++) await db.set(['b'], n)
      const { versionstamp: since } = await db.get(['b'])
      statements.length = 0
      await Promise.all([
        db.set(['c'], 'three'),
        db.set(['b'], 'first'),
        db.delete(['b']),
        db.set(['a'], null),
        db.set(['b'], 'last'),
      ])
      expect(statements.filter((statement) => statement.includes('kv_commit'))).toEqual([])
      const changes = db.changes({ since: since! }).getReader()
      const seen = []
      for (let n = 0; n < 5; n++) seen.push(await next(changes))
      await changes.cancel()
      expect(seen.map(({ type, key }) => [type, ...key])).toEqual([
        ['set', 'c'],
        ['set', 'b'],
        ['delete', 'b'],
        ['set', 'a'],
        ['set', 'b'],
      ])
      if (values) expect(seen.map(({ value }) => value)).toEqual(['three', 'first', null, null, 'last'])
      const stamps = seen.map(({ versionstamp }) => versionstamp)
      const found = await db.getMany([['a'], ['b'], ['c']])
      expect(found.map(({ value, versionstamp }) => [value, versionstamp])).toEqual([
        [null, stamps[3]],
        ['last', stamps[4]],
        ['three', stamps[0]],
      ])
    },
  )
})
