import assert from 'node:assert/strict'
import { join } from 'node:path'
import { KeyExistsError, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { patient } from '../waiting.ts'
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
      // The clock itself goes on a little in each step. From now on, the sweeper may remove what has expired.
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

const jobs = Valkeyrie.withSchema(['jobs', '*'], z.object({ until: z.int(), by: z.string() }), {
  indexes: [{ on: 'until' }],
}).withSchema(['locks', '*'], z.string())

/** Leased jobs and locks that expire: a caller gets those that have ended by the clock, and no others. */
async function leaseAbout(path: string, random: () => number, jump: (milliseconds: number) => void) {
  await using db = await jobs.open(path)
  const { jobs: queue, locks } = db.repositories
  const leases = new Map<unknown, number>()
  /** Locks that somebody has seen expired: they may be gone for good. */
  const seenOver = new Set<number>()
  const expiries = new Map<number, number>()
  for (let id = 0; id < 5; id++) {
    leases.set(id, 0)
    await queue.set(id, { until: 0, by: '' })
  }
  for (let step = 0; step < 30; step++) {
    jump((random() < 0.5 ? -1 : 1) * hour * random())
    const now = Date.now()
    const until = now + Math.floor(random() * hour)
    const { entries } = await queue.claimMany({
      where: { until: { lte: now } },
      limit: 2,
      set: { until, by: `worker ${step % 2}` },
    })
    const over = [...leases].filter(([, end]) => end <= now)
    assert.equal(entries.length, Math.min(2, over.length))
    for (const { id } of entries) {
      assert(leases.get(id)! <= now, `job ${id} is leased until ${leases.get(id)}, and it is ${now}`)
      leases.set(id, until)
    }

    for (const [id, end] of expiries) if (end < now + 60_000) seenOver.add(id)
    const id = step % 3
    const [end, expireIn] = [expiries.get(id) ?? 0, 1 + Math.floor(random() * hour)]
    const got = await locks.insert(id, `worker ${step % 2}`, { expireIn }).then(
      () => true,
      (error) => {
        if (!(error instanceof KeyExistsError)) throw error
        return false
      },
    )
    // The clock itself goes on a little.
    if (got)
      assert(end < now + 60_000 || seenOver.has(id), `lock ${id} is held until ${end}, and it is ${now}`)
    else assert(end > now, `lock ${id} has expired at ${end}, and it is ${now}`)
    if (!got) continue
    expiries.set(id, now + expireIn)
    seenOver.delete(id)
  }
}

/** Units of work of two handles that conflict, and whose turns last as long as the clock says. */
async function fightAbout(path: string, random: () => number, jump: (milliseconds: number) => void) {
  const things = Valkeyrie.withSchema(['counts', '*'], z.int())
  await using one = await things.open(path, patient)
  await using other = await things.open(path, patient)
  const units = Array.from({ length: 12 }, (_, n) =>
    (n % 2 === 0 ? one : other).unitOfWork(async (unit) => {
      const { counts } = unit.repositories
      const { value } = await counts.get('all')
      jump((random() < 0.5 ? -1 : 1) * hour * random())
      await new Promise(setImmediate)
      await counts.set('all', (value ?? 0) + 1)
    }),
  )
  await Promise.all(units)
  assert.equal((await one.repositories.counts.get('all')).value, units.length)
}

export const clockJumps: Attack = {
  name: 'jumps of the clock',
  promise:
    'Versions and created ids rise, no row is seen after its expiry or comes back, no lease is given twice, and units of work get their turns.',
  async run({ random, folder, another }) {
    const real = Date.now
    let offset = 0
    Date.now = () => real() + Math.floor(offset)
    const counted = { files: 0 }
    try {
      for (; another(); counted.files++) {
        const jump = (milliseconds: number) => {
          offset += milliseconds
        }
        for (const attempt of [jumpAbout, leaseAbout, fightAbout]) {
          await attempt(join(folder, `${attempt.name}${counted.files}.db`), random, jump)
        }
      }
    } finally {
      Date.now = real
    }
    return counted
  },
}
