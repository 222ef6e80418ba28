import { describe, expect, onTestFinished, test } from 'vitest'
import { Connector, loadPg } from '../../src/driver/postgres/server/connect.ts'
import { beginReading, command } from '../../src/driver/postgres/server/transaction.ts'
import { byHand, newSchema, startProxy } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const beginning = [beginReading, command('savepoint kept')]
const one = { name: 'one', text: 'select 1' }
const ratio = { name: 'ratio', text: 'select 6 / $1::integer' }
const level = { name: 'level', text: "select current_setting('transaction_isolation')" }

async function open() {
  const proxy = await startProxy(url)
  const connector = new Connector(await loadPg(proxy.url), proxy.url, { connectTimeout: 120_000 })
  const connection = await connector.first()
  onTestFinished(() => connection.end())
  return { connection, proxy }
}

/** A connection that knows the statements: only those can go together. */
async function openKnowing() {
  const { connection, proxy } = await open()
  await Promise.all([
    connection.begin(beginning),
    connection.run(one),
    connection.run(ratio, [1]),
    connection.run(level),
    connection.leave(),
  ])
  return { connection, proxy }
}

describe.skipIf(url === '')('a connection', () => {
  test('that is gone gathers no listeners, however often it is asked', async () => {
    const { connection } = await open()
    const warnings: Error[] = []
    const warned = (warning: Error) => void warnings.push(warning)
    process.on('warning', warned)
    onTestFinished(() => void process.off('warning', warned))
    connection.discard()
    for (let n = 0; n < 20; n++) await expect(connection.run({ text: 'select 1' }, [])).rejects.toThrow()
    await new Promise(setImmediate)
    expect(
      warnings.filter(({ name }) => name === 'MaxListenersExceededWarning').map(({ message }) => message),
    ).toEqual([])
  })

  test('gets one answer for the beginning of a transaction and what is asked with it', async () => {
    const { connection, proxy } = await openKnowing()
    const before = proxy.answered
    const [, ...rows] = await Promise.all([
      connection.begin(beginning),
      connection.run(one),
      connection.run(ratio, [2]),
      connection.run(level),
    ])
    expect(rows).toEqual([[[1]], [[3]], [['repeatable read']]])
    expect(proxy.answered - before).toBe(1)
  })

  test('leaves a transaction, and begins the next or runs one statement, with one answer', async () => {
    const { connection, proxy } = await openKnowing()
    await Promise.all([connection.begin(beginning), connection.run(one)])
    const before = proxy.answered
    await Promise.all([connection.leave(), connection.begin(beginning), connection.run(one)])
    expect(proxy.answered - before).toBe(1)
    const [, ...levels] = await Promise.all([
      connection.leave(),
      connection.run(level),
      connection.run(level),
    ])
    expect(levels).toEqual([[['read committed']], [['read committed']]])
    expect(proxy.answered - before).toBe(3)
  })

  test('refuses of those that go together the one that fails, and calls what is behind it not begun', async () => {
    const { connection } = await openKnowing()
    const [begun, first, failed, behind] = await Promise.allSettled([
      connection.begin(beginning),
      connection.run(one),
      connection.run(ratio, [0]),
      connection.run(one),
    ])
    expect([begun.status, first]).toEqual(['fulfilled', { status: 'fulfilled', value: [[1]] }])
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: '22012' } })
    expect(behind).toMatchObject({ status: 'rejected', reason: { code: '25P02' } })
    await connection.execute('rollback to savepoint kept')
    expect(await connection.run(one)).toEqual([[1]])
  })

  test('leaves a transaction that has failed, and fails with what comes behind that alone', async () => {
    const { connection } = await openKnowing()
    await connection.begin(beginning)
    const [failed, left, wrong, right] = await Promise.allSettled([
      connection.run(ratio, [0]),
      connection.leave(),
      connection.run(ratio, [0]),
      connection.run(level),
    ])
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: '22012' } })
    expect(left.status).toBe('fulfilled')
    expect(wrong).toMatchObject({ status: 'rejected', reason: { code: '22012' } })
    expect(right).toEqual({ status: 'fulfilled', value: [['read committed']] })
  })

  test('runs a statement again whose name the server has forgotten, but not in a transaction', async () => {
    const { connection } = await openKnowing()
    await connection.execute('deallocate all')
    const [begun, read] = await Promise.allSettled([connection.begin(beginning), connection.run(one)])
    expect([begun, read]).toMatchObject([
      { status: 'rejected', reason: { code: '26000' } },
      { status: 'rejected', reason: { code: '25P02' } },
    ])
    const [left, alone] = await Promise.all([connection.leave(), connection.run(one)])
    expect([left, alone]).toEqual([undefined, [[1]]])
  })

  test('does not run a statement again outside its transaction, however the answers come', async () => {
    const { connection, proxy } = await open()
    const schema = newSchema()
    const admin = await byHand(url)
    await admin.query(`create schema "${schema}"; create table "${schema}".numbers (n integer)`)
    const insert = { name: 'insert', text: `insert into "${schema}".numbers values (1)` }
    await connection.run(insert)
    await connection.execute('deallocate all')
    // So late that all of them come at once.
    proxy.delay(20)
    const outcomes = await Promise.allSettled([
      connection.execute('begin'),
      connection.run(insert),
      connection.commit(),
    ])
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { reason: { code: '26000' } },
      { status: 'fulfilled', value: false },
    ])
    expect((await admin.query(`select n from "${schema}".numbers`)).rows).toEqual([{ n: 1 }])
  })

  test('gives the answers to those that were asked when one cannot be sent', async () => {
    const { connection } = await openKnowing()
    const unsendable = {
      toString() {
        throw new RangeError('Array buffer allocation failed')
      },
    }
    const outcomes = await Promise.allSettled([
      connection.begin(beginning),
      connection.run(one),
      connection.run(ratio, [unsendable]),
      connection.run(one),
      connection.leave(),
      connection.run(ratio, [unsendable]),
      connection.run(ratio, [unsendable]),
      connection.run(ratio, [2]),
    ])
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { value: [[1]] },
      { reason: { name: 'RangeError' } },
      { reason: { code: '25P02' } },
      { status: 'fulfilled' },
      { reason: { name: 'RangeError' } },
      { reason: { name: 'RangeError' } },
      { value: [[3]] },
    ])
  })

  test('loses all that goes together if it ends meanwhile', async () => {
    const { connection, proxy } = await openKnowing()
    proxy.hush('those there are')
    const asked = Promise.allSettled([
      connection.begin(beginning),
      connection.run(one),
      connection.run(ratio, [1]),
    ])
    connection.discard()
    for (const outcome of await asked)
      expect(outcome).toMatchObject({ reason: { name: 'Error', message: /has ended/ } })
  })
})
