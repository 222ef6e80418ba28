import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import type { Attack } from './attack.ts'

const hour = 3_600_000

/** Rows that expire, ids and versions while the clock jumps an hour or a day, both ways. */
async function jumpAbout(path: string, random: () => number, jump: (milliseconds: number) => void) {
  const things = Valkeyrie.withSchema(['things', '*'], {
    '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
  })
  await using db = await things.open(path)
  const ids: string[] = []
  const versions: string[] = []
  const expiries = new Map<string, number>()
  const removed = new Set<string>()
  const expired = new Set<string>()
  for (let step = 0; step < 40; step++) {
    const expireIn = 1 + Math.floor(random() * 2 * hour)
    const before = Date.now()
    const created = await db.repositories.things.create(step, { expireIn })
    const [id, versionstamp] = [String(created.id), created.versionstamp]
    ids.push(id)
    versions.push(versionstamp)
    expiries.set(id, before + expireIn)
    jump((random() < 0.5 ? -1 : 1) * hour * (random() < 0.2 ? 24 : random()))
    if (random() < 0.3) {
      await db.cleanup()
      for (const [at, expiresAt] of expiries) if (expiresAt < Date.now()) removed.add(at)
    }
    const there = new Set((await Array.fromAsync(db.repositories.things.list())).map(({ id }) => String(id)))
    const now = Date.now()
    for (const [at, expiresAt] of expiries) {
      // The clock itself goes on a little in each step. The sweeper may remove from now on what has expired.
      if (expiresAt < now + 60_000) expired.add(at)
      if (Math.abs(expiresAt - now) < 60_000) continue
      if (there.has(at)) assert(expiresAt > now && !removed.has(at), `${at} has expired, and is there`)
      else assert(expiresAt < now || expired.has(at), `${at} has not expired, and is not there`)
    }
  }
  assert.deepEqual(versions, versions.toSorted())
  assert.equal(new Set(versions).size, versions.length)
  assert.deepEqual(ids, ids.toSorted(), 'ids that are created later are greater')
}

export const clockJumps: Attack = {
  name: 'jumps of the clock',
  promise:
    'Versions and created ids rise, and no row is seen after its expiry or comes back when it was removed.',
  async run({ random, folder, another }) {
    const real = Date.now
    let offset = 0
    Date.now = () => real() + Math.floor(offset)
    const counted = { files: 0 }
    try {
      for (; another(); counted.files++) {
        await jumpAbout(join(folder, `${counted.files}.db`), random, (milliseconds) => {
          offset += milliseconds
        })
      }
    } finally {
      Date.now = real
    }
    return counted
  },
}
