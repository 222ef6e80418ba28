import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { extent } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { patient } from '../waiting.ts'
import { start } from './child.ts'
import { jobSchemas } from './fixtures/job-schemas.ts'

const path = temporaryFolder()
const count = extent('jobs', 120, 300)

test('jobs that 3 processes claim, while others come and change, are each claimed once', async () => {
  const file = path()
  await using db = await jobSchemas(Valkeyrie).open(file, patient)
  const { jobs } = db.repositories
  await jobs.insertMany(
    Array.from({ length: count }, (_, rank) => [`${rank}`, { state: 'waiting', rank }] as const),
  )
  const children = ['a', 'b', 'c'].map((name) => start('claim-jobs', file, name))
  await Promise.all(children.map(({ process: { stdout } }) => once(stdout!, 'data')))
  for (const child of children) child.process.stdin!.write('go\n')
  let ended = false
  const all = Promise.all(children.map((child) => child.ended)).finally(() => {
    ended = true
  })
  let added = 0
  for (; !ended; added++) {
    if (added < count) await jobs.insert(`new ${added}`, { state: 'waiting', rank: added })
    await jobs.update(`${added % count}`, { rank: { increment: 1 } })
    await nextTurn()
  }
  expect(await all).toEqual([0, 0, 0])
  const claimed = children.flatMap(({ lines }, i) => lines.slice(1).map((id) => [id, 'abc'[i]] as const))
  expect(new Set(claimed.map(([id]) => id)).size).toBe(claimed.length)
  const taken = await jobs.findMany({ where: { state: 'taken' } })
  expect(Object.fromEntries(taken.map(({ id, value }) => [id, value.by]))).toEqual(
    Object.fromEntries(claimed),
  )
  expect(new Set(taken.map(({ value }) => value.times))).toEqual(new Set([1]))
  // What is left waiting came after the last of them had found nothing.
  expect(claimed.length + (await jobs.count({ where: { state: 'waiting' } }))).toBe(
    count + Math.min(added, count),
  )
})

test('a row that several processes upsert is created once, and no increment is lost', async () => {
  const file = path()
  const children = ['a', 'b', 'c'].map(() => start('upsert-together', file, '100'))
  await Promise.all(children.map(({ process: { stdout } }) => once(stdout!, 'data')))
  for (const child of children) child.process.stdin!.write('go\n')
  expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0])
  expect(children.flatMap(({ lines }) => lines).filter((line) => line === 'created')).toHaveLength(1)
  await using db = await jobSchemas(Valkeyrie).open(file, patient)
  expect((await db.repositories.jobs.get('shared')).value?.times).toBe(300)
})
