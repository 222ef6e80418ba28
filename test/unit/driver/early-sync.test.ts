import { readdirSync, readlinkSync } from 'node:fs'
import { Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { newDatabasePath } from '../../concurrency/temporary-folder.ts'

const isSyncing = () => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'))
const long = 'x'.repeat(40_000)

/** Whether the log is being synced after so many bytes of values. */
async function syncsAfter(bytes: number, path: string | undefined, durability?: 'full') {
  await using db = await Valkeyrie.open(path, durability && { durability })
  const sets = () => db.set(['key'], long)
  await sets()
  while (isSyncing()) await new Promise(setImmediate)
  for (let written = 0; written < bytes; written += long.length) {
    await sets()
    if (isSyncing()) return true
  }
  return false
}

test.runIf(process.platform === 'linux')(
  'the log is synced in the background for each MiB that is written',
  async () => {
    expect(await syncsAfter(500_000, newDatabasePath())).toBe(false)
    expect(await syncsAfter(1_200_000, newDatabasePath())).toBe(true)
  },
)

test.runIf(process.platform === 'linux')('a closed database has its log no longer open', async () => {
  for (let round = 0; round < 10; round++) {
    const path = newDatabasePath()
    const db = await Valkeyrie.open(path)
    while (!isSyncing()) await db.set(['key'], long)
    await db.close()
    const open = readdirSync('/proc/self/fd').flatMap((file) => {
      try {
        return [readlinkSync(`/proc/self/fd/${file}`)]
      } catch {
        // The folder itself is listed, and no longer open.
        return []
      }
    })
    expect(open.filter((file) => file.startsWith(path))).toEqual([])
  }
})

test('nothing is synced where each commit is, or in memory', async () => {
  expect(await syncsAfter(2_000_000, newDatabasePath(), 'full')).toBe(false)
  expect(await syncsAfter(2_000_000, undefined)).toBe(false)
})

test.runIf(process.platform === 'linux')('the rows of claims count', async () => {
  const job = z.object({ state: z.string(), text: z.string() })
  await using db = await Valkeyrie.withSchema(['jobs', '*'], job).open(newDatabasePath())
  const { jobs } = db.repositories
  for (let id = 0; id < 60; id++) await jobs.insert(id, { state: 'waiting', text: long })
  const claim = () => jobs.claimMany({ where: { state: 'waiting' }, limit: 1, set: { state: 'taken' } })
  for (const prepare of ['before', 'in place']) {
    await claim()
    while (isSyncing()) await new Promise(setImmediate)
    let claims = 0
    for (; claims < 25 && !isSyncing(); claims++) await claim()
    expect(claims, prepare).toBeLessThan(25)
  }
})
