import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { waitFor, waitUntil } from '../waiting.ts'
import { byHand, impatiently, newSchema, openAt, startProxy } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''

/** The sockets of this process that are open, so that a test says when nothing has come for long: it need not wait. */
const sockets = new Set<Socket>()
const opened = (message: unknown) => {
  const { socket } = message as { readonly socket: Socket }
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
}
subscribe('net.client.socket', opened)
afterAll(() => unsubscribe('net.client.socket', opened))

function sayThatNothingComes(proxy: Awaited<ReturnType<typeof startProxy>>, on = sockets): void {
  const port = Number(new URL(proxy.url).port)
  for (const socket of on) if (socket.remotePort === port) socket.emit('timeout')
}

/** Awaits a call, part of which is swallowed. */
async function silenced<T>(
  proxy: Awaited<ReturnType<typeof startProxy>>,
  call: () => Promise<T>,
): Promise<T> {
  const before = proxy.swallowed
  const calling = call()
  calling.catch(() => {})
  await waitUntil('something that is swallowed', () => proxy.swallowed > before)
  sayThatNothingComes(proxy)
  return waitFor('the end of a call', calling)
}

describe.skipIf(url === '')('a connection that has fallen silent', () => {
  const patient = { connectTimeout: 600_000 }

  test('is replaced: reads are made again, a commit is done once, and a unit of work runs again', async () => {
    const proxy = await startProxy(url)
    const db = await openAt(proxy.url, newSchema(), patient)
    await db.atomic().sum(['n'], 1n).set(['a'], 1).commit()

    proxy.hush('those there are')
    expect((await silenced(proxy, () => db.get(['a']))).value).toBe(1)
    proxy.hush('those there are')
    await silenced(proxy, () => db.atomic().sum(['n'], 1n).set(['a'], 2).commit())
    let runs = 0
    await db.unitOfWork(async (unit) => {
      runs += 1
      const { value } = await unit.get(['a'])
      if (runs === 1) {
        proxy.hush('those there are')
        await silenced(proxy, () => unit.get(['b']))
      }
      await unit.set(['a'], Number(value) + 1)
    })
    expect([runs, (await db.get(['a'])).value, (await db.get(['n'])).value]).toEqual([2, 3, new KvU64(2n)])
  })

  test('after the server has done the request finds out its outcome', async () => {
    const proxy = await startProxy(url)
    const db = await openAt(proxy.url, newSchema(), patient)
    await db.atomic().sum(['n'], 1n).commit()
    proxy.hush('next commit')
    const { ok } = await silenced(proxy, () => db.atomic().sum(['n'], 1n).commit())
    expect([ok, (await db.get(['n'])).value]).toEqual([true, new KvU64(2n)])
  })

  test('reports nothing more to a watcher, which opens another one', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const db = await openAt(proxy.url, schema, patient)
    const other = await openAt(url, schema)
    await other.set(['a'], 1)
    const values: unknown[] = []
    const watching = (async () => {
      for await (const [{ value }] of db.watch([['a']])) {
        values.push(value)
        if (value === 3) return
      }
    })()
    await waitUntil('the state at first', () => values.length === 1)
    await other.set(['a'], 2)
    await waitUntil('a commit that is told', () => values.at(-1) === 2)
    proxy.hush('those there are')
    const hushed = new Set(sockets)
    await other.set(['a'], 3)
    // The next look goes over the connection that tells. Those that ask the server about the hushed ones are not slow themselves.
    const telling = setInterval(() => sayThatNothingComes(proxy, hushed), 200)
    await waitFor('the newest value', watching)
    clearInterval(telling)
  })

  test('is ended if only the end of a unit of work is not answered, for which nobody waits', async () => {
    const proxy = await startProxy(url)
    const db = await openAt(proxy.url, newSchema(), patient)
    await db.set(['a'], 1)
    const before = proxy.swallowed
    await db.unitOfWork(async (unit) => {
      await unit.get(['a'])
      proxy.hush('those there are')
    })
    await waitUntil('the end of the unit, swallowed', () => proxy.swallowed > before)
    sayThatNothingComes(proxy)
    await waitUntil('the end of the connections', () => proxy.open === 0)
    expect((await db.get(['a'])).value).toBe(1)
  })

  test('is kept while the server is at work', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const statements: string[] = []
    const db = await Valkeyrie.withSchema(['users', '*'], z.object({ n: z.int() })).open(proxy.url, {
      schema,
      ...patient,
      logger: { logQuery: (statement) => void statements.push(statement) },
    })
    onTestFinished(() => db.close())
    await db.repositories.users.set('a', { n: 1 })
    const admin = await byHand(url)
    await admin.query(`begin; lock table "${schema}".kv`)
    statements.length = 0
    const reading = db.repositories.users.findMany()
    await waitUntil('the read to wait', async () => {
      const text = `select from pg_locks l where not l.granted and l.relation = $1::regclass`
      return (await admin.query(text, [`"${schema}".kv`])).rowCount === 1
    })
    const { open } = proxy
    const asked = () => statements.filter((statement) => statement.includes('pg_stat_activity')).length
    for (const times of [1, 2]) {
      sayThatNothingComes(proxy)
      await waitUntil('the answer of the server', () => asked() === times && proxy.open === open)
    }
    await admin.query('rollback')
    expect(await waitFor('the read', reading)).toMatchObject([{ id: 'a' }])
    expect(statements.filter((statement) => statement.includes("'users'"))).toHaveLength(1)
  })
})

describe.skipIf(url === '')('a server that has fallen silent', () => {
  test('is an error that says so, and is reached again as soon as it answers', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    // On a slow machine, the time to connect may be longer than the usual busyTimeout.
    const [db] = await impatiently((connectTimeout) =>
      openAt(proxy.url, schema, { connectTimeout, busyTimeout: 10 * connectTimeout }),
    )
    await db.set(['a'], 1)
    proxy.hush('all')
    const failed = await waitFor(
      'the ends of all calls',
      Promise.allSettled([
        db.get(['a']),
        Array.fromAsync(db.list({ prefix: [] })),
        db.set(['a'], 2),
        db.unitOfWork(async (unit) => unit.set(['b'], (await unit.get(['a'])).value)),
        db.snapshot((view) => view.get(['a'])),
      ]),
    )
    const lost = { status: 'rejected', reason: { code: 'CONNECTION' } }
    expect(failed).toMatchObject([lost, lost, lost, lost, lost])
    expect(failed[2]).toMatchObject({ reason: { written: null } })
    proxy.unhush()
    expect((await waitFor('a read', db.get(['a']))).value).toBe(1)
    await waitFor('a commit', db.set(['a'], 3))
    expect((await db.get(['a'])).value).toBe(3)
  })

  test('blocks neither opening nor closing a database forever', async () => {
    const proxy = await startProxy(url)
    const schema = newSchema()
    const [db, connectTimeout] = await impatiently((connectTimeout) =>
      openAt(proxy.url, schema, { connectTimeout }),
    )
    proxy.hush('all')
    const opening = Valkeyrie.open(proxy.url, { schema, connectTimeout })
    await expect(waitFor('the end of opening', opening)).rejects.toThrow(/does not answer|answers at/)
    const reading = db.get(['a']).catch((error) => error)
    await waitFor('the end of closing', db.close())
    expect(await waitFor('the end of the read', reading)).toMatchObject({ code: 'DATABASE_CLOSED' })
  })
})

describe.skipIf(url === '')('what the server itself limits', () => {
  test('a read and a commit that take longer than its statement_timeout are errors, and nothing is written', async () => {
    const schema = newSchema()
    const setting = new URL(url)
    setting.searchParams.set('statement_timeout', '1000')
    const withUsers = Valkeyrie.withSchema(['users', '*'], z.object({ n: z.int() }))
    {
      // Without that limit: to make a database takes a slow machine longer.
      await using patiently = await withUsers.open(url, { schema })
      await patiently.repositories.users.set('a', { n: 1 })
    }
    const db = await withUsers.open(setting.href, { schema })
    onTestFinished(() => db.close())
    const { users } = db.repositories
    const admin = await byHand(url)
    await admin.query(`begin; lock table "${schema}".kv`)
    const failed = await Promise.allSettled([
      users.findMany(),
      users.get('a'),
      users.set('a', { n: 2 }),
      users.update('a', { n: 2 }),
    ])
    const tookTooLong = { status: 'rejected', reason: { code: 'STORAGE', engineCode: '57014' } }
    expect(failed).toMatchObject([tookTooLong, tookTooLong, tookTooLong, tookTooLong])
    await admin.query('rollback')
    expect((await users.get('a')).value).toEqual({ n: 1 })
    await users.set('a', { n: 3 })
  })

  test('a transaction on which nothing more arrives is ended, and its locks with it', async () => {
    const schema = newSchema()
    const setting = new URL(url)
    setting.searchParams.set('idle_in_transaction_session_timeout', '300')
    setting.searchParams.set('options', '-c default_transaction_isolation=serializable')
    const proxy = await startProxy(setting.href)
    // First, without that limit: to make a database takes a slow machine longer.
    const other = await openAt(url, schema, { busyTimeout: 60_000 })
    const db = await openAt(proxy.url, schema, { connectTimeout: 1_500, busyTimeout: 60_000 })
    await db.set(['a'], 1)
    proxy.hush('half of the next commit')
    const writing = db.set(['a'], 2)
    await waitUntil('a half of a commit at the server', () => proxy.harmed > 0)
    await waitFor('a commit of somebody else', other.set(['b'], 1))
    await waitFor('the end of the commit', writing)
    expect((await other.get(['a'])).value).toBe(2)
  })
})
