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
