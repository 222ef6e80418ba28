import Database from 'better-sqlite3'
import { defineValueType, type Key, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { type QueueOptions, queue } from 'valkeyrie/queue'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { PassedOver } from '../../src/delivery/passed-over.ts'
import { sharedAddresses } from '../shared-addresses.ts'
import { type StillClock, stillClock } from '../still-clock.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitUntil } from '../waiting.ts'
import { warningsOf } from '../warnings-of.ts'

const address = sharedAddresses()
const folder = temporaryFolder()

class Money {
  readonly cents: number

  constructor(cents: number) {
    this.cents = cents
  }
}

const money = defineValueType({
  name: 'app.money',
  class: Money,
  encode: ({ cents }: Money) => cents,
  decode: (cents: number) => new Money(cents),
})

/** A release that has the value type, and one that does not. */
const newer: OpenOptions = { valueTypes: [money] }
const older: OpenOptions = {}

const quick: QueueOptions = { backoff: { type: 'fixed', delay: 0 }, lease: 600_000 }
const work = queue('work', z.any(), quick)

async function opened(path: string, options: OpenOptions = {}) {
  const db = await Valkeyrie.withSchemas([...work.definitions]).open(path, options)
  onTestFinished(() => db.close())
  return db
}
type Opened = Awaited<ReturnType<typeof opened>>

/** A worker, and what it has run. */
function working(db: Opened, concurrency = 1) {
  const seen: unknown[] = []
  const worker = work.process(db, ({ payload }) => void seen.push(payload), { concurrency })
  onTestFinished(() => worker.stop())
  return { seen, worker }
}

/** A listener, and what it has heard. */
function listening(db: Valkeyrie) {
  const heard: unknown[] = []
  void db.listenQueue((message) => void heard.push(message))
  return heard
}

/** Gives whatever would spin some time to do so. */
async function turns(): Promise<void> {
  for (let n = 0; n < 200; n++) await new Promise(setImmediate)
}

it('a job that a worker cannot decode is left for one that can, and the others run', async () => {
  const clock = stillClock()
  const path = address()
  const [newRelease, oldRelease] = [await opened(path, newer), await opened(path, older)]
  const warnings = warningsOf('QUEUE_WORKER')
  await work.enqueue(newRelease, new Money(5))
  await work.enqueue(newRelease, 'later', { priority: 1 })
  for (const payload of ['first', 'second']) await work.enqueue(newRelease, payload)
  const { seen, worker } = working(oldRelease)
  await waitUntil('the others', () => seen.length === 3)
  expect(seen).toStrictEqual(['first', 'second', 'later'])
  expect(warnings.map(({ message }) => /a value of type 'app.money'/.test(message))).toStrictEqual([true])
  await waitUntil('the others to be done', async () => (await work.counts(oldRelease)).active === 0)
  expect(await work.counts(oldRelease)).toMatchObject({ ready: 1 })
  clock.advance(50)
  await waitUntil('another try', () => warnings.length === 2)
  await work.enqueue(oldRelease, 'third')
  await waitUntil('the third', () => seen.length === 4)
  await turns()
  expect(warnings).toHaveLength(2)
  clock.advance(99)
  await work.enqueue(oldRelease, 'fourth')
  await waitUntil('the fourth', () => seen.length === 5)
  await turns()
  expect(warnings).toHaveLength(2)
  clock.advance(1)
  await waitUntil('a third try', () => warnings.length === 3)
  await worker.stop()
  const able = working(newRelease)
  await waitUntil('the job', () => able.seen.length === 1)
  expect(able.seen).toStrictEqual([new Money(5)])
})

it('a delayed job that a worker cannot decode delays no other', async () => {
  const path = address()
  const [newRelease, oldRelease] = [await opened(path, newer), await opened(path, older)]
  const warnings = warningsOf('QUEUE_WORKER')
  await work.enqueue(newRelease, new Money(5), { delay: 3_600_000 })
  const { seen } = working(oldRelease)
  for (const payload of ['first', 'second']) await work.enqueue(oldRelease, payload)
  await waitUntil('the others', () => seen.length === 2)
  expect(warnings).toStrictEqual([])
})

it('a schedule that a worker cannot decode is left for one that can, and the others fire', async () => {
  const clock = stillClock()
  const path = address()
  const [newRelease, oldRelease] = [await opened(path, newer), await opened(path, older)]
  const warnings = warningsOf('QUEUE_WORKER')
  await work.schedule(newRelease, 'price', { cron: '* * * * *', payload: new Money(5) })
  for (const group of [undefined, 'group'])
    await work.schedule(newRelease, `text ${group}`, { cron: '* * * * *', payload: group ?? 'none', group })
  const { seen, worker } = working(oldRelease)
  clock.advance(60_000)
  await waitUntil('the others', () => seen.length === 2)
  expect(seen.toSorted()).toStrictEqual(['group', 'none'])
  await waitUntil('a warning', () => warnings.length > 0)
  await turns()
  const met = warnings.length
  clock.advance(1)
  await work.schedule(newRelease, 'unrelated', { cron: '0 0 1 1 *', payload: 'unrelated' })
  await turns()
  expect(warnings).toHaveLength(met)
  clock.advance(60_000)
  await waitUntil('the next ones', () => seen.length === 4)
  await waitUntil('another warning', () => warnings.length > met)
  expect(warnings.every(({ message }) => /a value of type 'app.money'/.test(message))).toBe(true)
  await worker.stop()
  const able = working(newRelease)
  await waitUntil('its job', () => able.seen.some((payload) => payload instanceof Money))
})

it('a job that is too large for a worker is left for one that takes it, and the others run', async () => {
  stillClock()
  const path = address()
  const [large, small] = [await opened(path), await opened(path, { limits: { valueBytes: 2_000 } })]
  const warnings = warningsOf('QUEUE_WORKER')
  for (const payload of ['x'.repeat(5_000), 'first', 'second']) await work.enqueue(large, payload)
  const { seen } = working(small, 4)
  await waitUntil('the others', () => seen.length === 2)
  await turns()
  expect(warnings.map(({ name }) => name)).toStrictEqual(['QueueWarning'])
  const able = working(large)
  await waitUntil('the large one', () => able.seen.length === 1)
})

it('behind a job of its group that a worker cannot decode, jobs wait; those before it are completed', async () => {
  const path = address()
  const [newRelease, oldRelease] = [await opened(path, newer), await opened(path, older)]
  const payloads = [{ due: null, text: '"due":null' }, { due: null, price: new Money(5) }, 'third']
  for (const payload of payloads) await work.enqueue(newRelease, payload, { group: '"due":null' })
  // It has the first in hand, and has found that the second must wait.
  const busy = work.process(newRelease, () => new Promise(() => {}), { concurrency: 3 })
  await waitUntil('the line', async () => (await work.counts(newRelease)).waiting === 2)
  await busy.stop({ timeout: 0 })
  const { seen, worker } = working(oldRelease)
  await waitUntil('the second to be woken', async () => {
    const { active, waiting } = await work.counts(oldRelease)
    return seen.length === 1 && active === 0 && waiting === 1
  })
  await worker.stop()
  expect(seen).toStrictEqual(payloads.slice(0, 1))
  const able = working(newRelease)
  await waitUntil('the others', () => able.seen.length === 2)
  expect(able.seen).toStrictEqual(payloads.slice(1))
})

it('messages that a listener cannot take are left for others, and met after growing pauses', async () => {
  const clock = stillClock()
  const path = address()
  await using large = await Valkeyrie.open(path, newer)
  await using small = await Valkeyrie.open(path, { limits: { valueBytes: 2_000 } })
  const warnings = warningsOf('QUEUE_LISTENER')
  // More than a listener takes at once.
  for (let n = 0; n < 120; n++)
    await large.enqueue(n % 2 === 0 ? { n, price: new Money(n) } : 'x'.repeat(5_000))
  await large.enqueue('good')
  const heard = listening(small)
  await waitUntil('the good one', () => heard.length === 1)
  await turns()
  expect([heard, warnings.length]).toStrictEqual([['good'], 120])
  clock.advance(50)
  await waitUntil('another try', () => warnings.length === 240)
  clock.advance(99)
  await small.enqueue('another')
  await waitUntil('another', () => heard.length === 2)
  await turns()
  expect(warnings).toHaveLength(240)
  const others = listening(large)
  await waitUntil('the others', () => others.length === 120)
})

/** Ends the first pause right after a row was left alone because of it. */
function firstPauseEnds(clock: StillClock): void {
  const { isPaused } = PassedOver.prototype
  const spy = vi.spyOn(PassedOver.prototype, 'isPaused').mockImplementation(function (this: PassedOver, row) {
    const isLeftAlone = isPaused.call(this, row)
    if (isLeftAlone) {
      spy.mockRestore()
      clock.advance(1_000)
    }
    return isLeftAlone
  })
  onTestFinished(() => spy.mockRestore())
}

it.each(['job', 'schedule', 'message'] as const)(
  'a %s whose pause ends during a look is met again',
  async (kind) => {
    const clock = stillClock()
    const path = address()
    const [newRelease, oldRelease] = [await opened(path, newer), await opened(path, older)]
    const warnings = warningsOf(kind === 'message' ? 'QUEUE_LISTENER' : 'QUEUE_WORKER')
    const payload = new Money(5)
    if (kind === 'job') await work.enqueue(newRelease, payload)
    else if (kind === 'schedule') await work.schedule(newRelease, 'price', { cron: '* * * * *', payload })
    else await newRelease.enqueue(payload)
    clock.advance(120_000)
    firstPauseEnds(clock)
    if (kind === 'message') listening(oldRelease)
    else working(oldRelease)
    await waitUntil('another try', () => warnings.length === 2)
  },
)

it('a message with a hole, written through Deno.Kv, delays no other where its type is not known', async () => {
  const { openKv } = await import('valkeyrie/deno')
  const path = address()
  using kv = await openKv(path)
  // biome-ignore lint/suspicious/noSparseArray: it is what this test is about.
  await kv.enqueue([, 1])
  await kv.enqueue('good')
  await using db = await Valkeyrie.open(path)
  const warnings = warningsOf('QUEUE_LISTENER')
  const heard = listening(db)
  await waitUntil('the good one', () => heard.length === 1)
  await waitUntil('a warning', () => warnings.length > 0)
  expect(warnings[0]!.message).toContain("a value of type 'Deno.serialized'")
})

it('rows that users write among the messages are named, and delay none', async () => {
  stillClock()
  await using db = await Valkeyrie.open(address())
  const warnings = warningsOf('QUEUE_LISTENER')
  const foreign: [Key, unknown][] = [
    [['valkeyrie', 'queue', 'settings'], { a: 1 }],
    [['valkeyrie', 'queue', 5], null],
    [['valkeyrie', 'queue', 6, 'id'], 'text'],
    [['valkeyrie', 'queue', 7, 'id'], { keysIfUndelivered: [] }],
    [['valkeyrie', 'queue', Number.POSITIVE_INFINITY, 'id'], 1],
    [['valkeyrie', 'queue', 8n, 'id'], 1],
    [['valkeyrie', 'queue', true, 'id'], 1],
  ]
  for (const [key, value] of foreign) await db.set(key, value)
  const heard = listening(db)
  await db.enqueue('good')
  await waitUntil('the good one', () => heard.length === 1)
  await turns()
  expect(warnings).toHaveLength(5)
  expect(warnings.map(({ message }) => message).join('\n')).toContain(
    'The row under ["valkeyrie", "queue", "settings"] is no message of the queue: delete it',
  )
  const left = () => Array.fromAsync(db.list({ prefix: ['valkeyrie'] }), ({ key }) => key)
  await waitUntil('the end of the good one', async () => (await left()).length === foreign.length)
})

it('a listener pauses while nothing can be written, with one warning each time for all messages', async () => {
  const clock = stillClock()
  const path = folder('locked.db')
  await using db = await Valkeyrie.open(path, { busyTimeout: 0 })
  for (let n = 0; n < 10; n++) await db.enqueue(n)
  const holder = new Database(path)
  onTestFinished(() => void holder.close())
  holder.exec('BEGIN IMMEDIATE')
  const warnings = warningsOf('QUEUE_LISTENER')
  const heard = listening(db)
  await waitUntil('a warning', () => warnings.length > 0)
  await turns()
  expect(warnings).toHaveLength(1)
  clock.advance(50)
  await waitUntil('a second one', () => warnings.length === 2)
  await turns()
  expect(warnings).toHaveLength(2)
  holder.exec('ROLLBACK')
  clock.advance(100)
  await waitUntil('the messages', () => heard.length === 10)
})
