import { Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { newDatabasePath } from './temporary-folder.ts'

const job = z.object({ state: z.enum(['waiting', 'taken']), rank: z.int() })
const schemas = Valkeyrie.withSchema(['jobs', '*'], job, { indexes: [{ on: ['state', 'rank'] }] })
const first = { where: { state: 'waiting' }, orderBy: { rank: 'asc' }, limit: 1 } as const

test('a claim that lost a row to others prepares more of them, and no longer once nobody takes any', async () => {
  const path = newDatabasePath()
  await using db = await schemas.open(path)
  await using others = await schemas.open(path)
  const { jobs } = db.repositories
  await jobs.insertMany(Array.from({ length: 100 }, (_, rank) => [rank, { state: 'waiting', rank }] as const))
  let prepared = 0
  const claim = async () => {
    prepared = 0
    const { entries } = await jobs.claimMany({
      ...first,
      set(value) {
        prepared += 1
        return { ...value, state: 'taken' }
      },
    })
    return [entries[0]?.id, prepared]
  }
  expect(await claim()).toEqual([0, 1])

  let isTaken = false
  const { entries } = await jobs.claimMany({
    ...first,
    async set(value) {
      if (!isTaken) {
        isTaken = true
        await others.repositories.jobs.claimMany({ ...first, set: { state: 'taken' } })
      }
      return { ...value, state: 'taken' }
    },
  })
  expect(entries[0]?.id).toBe(2)
  expect(await claim()).toEqual([3, 2])
  for (let id = 4; id < 30; id++) await claim()
  expect(await claim()).toEqual([30, 1])
})
