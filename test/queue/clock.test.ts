import { Valkeyrie } from 'valkeyrie'
import { queue } from 'valkeyrie/queue'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { newAddress } from '../engine-of-project.ts'
import { stillClock } from '../still-clock.ts'
import { waitFor, waitUntil } from '../waiting.ts'

it('a clock that was put forward gives no job and no message twice', async () => {
  const clock = stillClock()
  const strict = queue('strict', z.number(), { lease: 5_000, retries: 0, concurrency: 4 })
  await using db = await Valkeyrie.withSchemas([...strict.definitions]).open(newAddress())
  const [begun, end] = [[] as unknown[], Promise.withResolvers<void>()]
  const failures: unknown[] = []
  const worker = strict.process(
    db,
    ({ payload, attempt }) => {
      begun.push([payload, attempt])
      return end.promise
    },
    { onFailed: (...args) => failures.push(args) },
  )
  const heard: unknown[] = []
  void db.listenQueue((message) => {
    heard.push(message)
    return end.promise
  })
  await strict.enqueue(db, 1)
  await db.enqueue('first')
  await waitUntil('both', () => begun.length + heard.length === 2)
  clock.advance(3_600_000)
  await strict.enqueue(db, 2)
  await db.enqueue('second')
  await waitUntil('two more', () => begun.length + heard.length >= 4)
  // Whatever would take them again is given time.
  for (let n = 0; n < 200; n++) await new Promise(setImmediate)
  expect([begun, heard]).toStrictEqual([
    [
      [1, 1],
      [2, 1],
    ],
    ['first', 'second'],
  ])
  // Their leases look over once more as they end, and others are taken meanwhile.
  clock.advance(3_600_000)
  const third = strict.enqueue(db, 3)
  end.resolve()
  await waitFor('the third', third)
  await waitUntil('the end', async () => (await db.repositories.strict.count()) === 0)
  await worker.stop()
  expect([begun.length, failures, await db.repositories.strictDead.count()]).toStrictEqual([3, [], 0])
})

it('a schedule that fired while the clock was far ahead continues once it is declared again', async () => {
  const clock = stillClock()
  const ticks = queue('ticks', z.string())
  await using db = await Valkeyrie.withSchemas([...ticks.definitions]).open(newAddress())
  const declare = (cron: string, payload = cron) => ticks.schedule(db, cron, { cron, payload })
  const crons = ['* * * * *', '0 0 1 1 *']
  for (const cron of crons) await declare(cron)
  const nexts = async () => {
    const entries = await db.repositories.ticksSchedules.findMany()
    return new Map(entries.map(({ id, value }) => [id, value.next! - clock.now]))
  }
  const right = await nexts()
  const year = 365 * 86_400_000
  const fired = async () => (await db.repositories.ticks.count()) + done.length
  const done: string[] = []
  const work = () => ticks.process(db, ({ payload }) => void done.push(payload))

  clock.advance(3 * year)
  const worker = work()
  await waitUntil('both to fire', async () => (await fired()) >= 2)
  await waitUntil('both to move on', async () => [...(await nexts()).values()].every((next) => next > 0))
  await worker.stop()
  clock.advance(-3 * year)
  expect((await nexts()).get('* * * * *')).toBeGreaterThan(2 * year)
  for (const cron of crons) await declare(cron)
  expect(await nexts()).toStrictEqual(right)
  const before = await db.repositories.ticksSchedules.getMany(crons)
  // A clock that is a little behind changes nothing.
  clock.advance(-50_000)
  for (const cron of crons) await declare(cron)
  expect(await db.repositories.ticksSchedules.getMany(crons)).toStrictEqual(before)

  clock.advance(50_000 + 60_000)
  done.length = 0
  const later = work()
  await waitUntil('a minute to fire', () => done.includes('* * * * *'))
  await later.stop()
})
