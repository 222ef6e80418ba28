import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { ConflictError, Valkeyrie } from 'valkeyrie'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { start } from '../processes/child.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { unitInTurn } from './in-turn.ts'

const path = temporaryFolder()
const turn = () => new Promise((resolve) => setImmediate(resolve))

async function open(file: string | undefined) {
  const db = await Valkeyrie.open(file)
  onTestFinished(() => db.close())
  return db
}

type Db = Awaited<ReturnType<typeof open>>

/** A unit that others make fail whenever it is not its turn: it waits for a commit of another, for as long as one can come. */
async function addSlowly(db: Db, isOvertaken: () => Promise<unknown>): Promise<number> {
  let runs = 0
  await db.unitOfWork(async (unit) => {
    runs += 1
    const { value } = await unit.get(['n'])
    await Promise.race([isOvertaken(), wait(200)])
    await unit.set(['n'], (value as number) + 1)
    await unit.set(['slow'], true)
  })
  return runs
}

/** The keys that the unit in turn does not write: where its turn runs out first, its own row comes after what was submitted meanwhile. */
async function besideUnit(db: Db): Promise<readonly unknown[]> {
  const keys = await Array.fromAsync(db.list({ prefix: [] }), ({ key }) => key)
  return keys.filter(([name]) => name !== 'm')
}

describe.each(['a file', 'memory'])('on %s', (place) => {
  it('a unit that others overtake each time gets its turn', async () => {
    const db = await open(place === 'memory' ? undefined : path())
    await db.set(['n'], 0)
    let writing = true
    let commit = Promise.withResolvers<void>()
    let added = 0
    const writer = (async () => {
      while (writing) {
        await db.unitOfWork(async (unit) => unit.set(['n'], ((await unit.get(['n'])).value as number) + 1))
        added += 1
        commit.resolve()
        commit = Promise.withResolvers()
        await turn()
      }
    })()
    const runs = await Promise.all(Array.from({ length: 3 }, () => addSlowly(db, () => commit.promise)))
    writing = false
    await writer
    expect(Math.min(...runs)).toBeGreaterThan(1)
    expect((await db.get(['n'])).value).toBe(added + 3)
  })

  it('writes beside a unit, in its function, do not wait for the turn, and make it conflict as before', async () => {
    const db = await open(place === 'memory' ? undefined : path())
    const unit = db.unitOfWork(
      async (unit) => {
        await unit.get(['n'])
        await db.set(['n'], 1)
        await unit.set(['m'], 1)
      },
      { retries: 6 },
    )
    const error = await unit.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConflictError)
    expect((error as ConflictError).attempts).toBe(7)
    await db.set(['n'], 2)
    expect((await db.get(['n'])).value).toBe(2)
  })

  it('clear comes before the writes that were submitted later, while earlier ones wait for a turn', async () => {
    const db = await open(place === 'memory' ? undefined : path())
    await db.set(['n'], 0)
    const unit = await unitInTurn(db)
    const first = db.set(['a'], 1)
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    const written = [first, db.clear(), db.set(['b'], 2)]
    await Promise.all([unit.commit(), ...written])
    expect(await besideUnit(db)).toEqual([['b']])
  })

  it('clear and close come after the writes that wait for a turn', async () => {
    const db = await open(place === 'memory' ? undefined : path())
    await db.set(['n'], 0)
    const unit = await unitInTurn(db)
    const written = [db.set(['a'], 1), db.clear(), db.set(['b'], 2)]
    await Promise.all([unit.commit(), ...written])
    expect(await besideUnit(db)).toEqual([['b']])
  })
})

describe('an update that others overtake each time', () => {
  const withJobs = Valkeyrie.withSchema(['jobs', '*'], z.object({ n: z.number() }), { name: 'jobs' })

  type Jobs = Awaited<ReturnType<typeof withJobs.open>>

  /**
   * Sets a row repeatedly from another handle while `work` goes on. `overtaken` resolves after such a commit, or after a moment without
   * one, once the `run` may have a turn.
   */
  async function beside(
    runsBefore: number,
    work: (db: Jobs, overtaken: (run: number) => Promise<unknown>) => Promise<unknown>,
  ) {
    const file = path()
    const [db, other] = [await withJobs.open(file), await withJobs.open(file)]
    onTestFinished(async () => void (await Promise.all([db.close(), other.close()])))
    await db.repositories.jobs.insertMany([0, 1, 2].map((id) => [id, { n: id }]))
    let writing = true
    let commit = Promise.withResolvers<void>()
    const writer = (async () => {
      while (writing) {
        await other.repositories.jobs.set(1, { n: 1 })
        commit.resolve()
        commit = Promise.withResolvers()
        await turn()
      }
    })()
    try {
      const overtake = () => other.repositories.jobs.set(1, { n: 1 })
      await work(db, (run) => (run <= runsBefore ? overtake() : Promise.race([commit.promise, wait(20)])))
    } finally {
      writing = false
      await writer
    }
    expect(db.drizzle.$client.prepare('SELECT count(*) FROM kv_turns').pluck().get()).toBe(0)
  }

  it('gets its turn', () =>
    beside(4, async (db, overtaken) => {
      let runs = 0
      const result = await db.repositories.jobs.update(1, async ({ n }) => {
        await overtaken(++runs)
        return { n: n + 10 }
      })
      expect(runs).toBeGreaterThan(4)
      expect(result.ok).toBe(true)
    }))

  it('gets its turn when it changes many rows', () =>
    beside(2, async (db, overtaken) => {
      let runs = 0
      const set = async ({ n }: { n: number }) => {
        if (n === 1) await overtaken(++runs)
        return { n: n + 10 }
      }
      expect(await db.repositories.jobs.updateMany({ where: {}, set })).toMatchObject({ count: 3 })
      expect(runs).toBeGreaterThan(2)
      expect((await db.repositories.jobs.get(2))?.value).toEqual({ n: 12 })
    }))

  it('gets its turn when its function writes beside it, in a unit of work too', () =>
    beside(4, async (db, overtaken) => {
      const { jobs } = db.repositories
      let runs = 0
      await jobs.update(1, async ({ n }) => {
        await overtaken(++runs)
        await jobs.update(0, ({ n }) => ({ n: n + 1 }))
        await db.unitOfWork((unit) => unit.repositories.jobs.set(2, { n: runs }))
        return { n: n + 10 }
      })
      expect((await jobs.get(0))?.value).toEqual({ n: runs })
      expect((await jobs.get(2))?.value).toEqual({ n: runs })
    }))

  it('ends when it is aborted', () =>
    beside(4, async (db, overtaken) => {
      const controller = new AbortController()
      let runs = 0
      const update = db.repositories.jobs.update(
        1,
        async (value) => {
          if (++runs > 4) controller.abort(new Error('enough'))
          else await overtaken(runs)
          return value
        },
        { signal: controller.signal },
      )
      await expect(update).rejects.toThrow('enough')
      await db.repositories.jobs.set(1, { n: 5 })
    }))
})

it('a unit keeps its turn while its function writes beside it', async () => {
  const file = path()
  const [db, other] = [await open(file), await open(file)]
  await db.set(['n'], 0)
  let writing = true
  let commit = Promise.withResolvers<void>()
  const writer = (async () => {
    while (writing) {
      await other.set(['n'], 'other')
      commit.resolve()
      commit = Promise.withResolvers()
      await turn()
    }
  })()
  let runs = 0
  await db.unitOfWork(
    async (unit) => {
      await unit.get(['n'])
      await db.set(['audit', ++runs], true)
      await Promise.race([commit.promise, wait(20)])
      await unit.set(['done'], true)
    },
    { retries: 10 },
  )
  writing = false
  await writer
  expect((await db.get(['done'])).value).toBe(true)
})

it('a writer that must first learn of a new schema does not ignore the turn of another', async () => {
  const file = path()
  const late = await open(file)
  await late.set(['n'], 0)
  const db = await Valkeyrie.withSchema(['notes', '*'], z.string()).open(file)
  onTestFinished(() => db.close())
  const unit = await unitInTurn(db)
  const written = late.set(['n'], 'late')
  await Promise.race([written, turn().then(turn)])
  await unit.commit()
  expect(unit.runs).toBe(3)
  await written
  expect((await db.get(['n'])).value).toBe('late')
})

describe('a unit that takes longer than a turn can last', () => {
  /** How many turns have begun: each has a version without changes. */
  const turnsBegun = (db: Db) =>
    db.drizzle.$client.prepare('SELECT count(*) FROM kv_log WHERE length(changes) = 0').pluck().get()

  async function run(lasts: (run: number) => number, retries: number) {
    const db = await open(path())
    await db.set(['n'], 0)
    const before = turnsBegun(db) as number
    vi.useFakeTimers({ toFake: ['hrtime'] })
    onTestFinished(() => void vi.useRealTimers())
    let runs = 0
    const outcome = db.unitOfWork(
      async (unit) => {
        runs += 1
        await unit.get(['n'])
        await db.set(['n'], runs)
        vi.advanceTimersByTime(lasts(runs))
        await unit.set(['m'], runs)
      },
      { retries },
    )
    const error = await outcome.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConflictError)
    expect((error as ConflictError).attempts).toBe(runs)
    return { runs, turns: (turnsBegun(db) as number) - before }
  }

  it('keeps nobody waiting, and runs again as often as it may', async () => {
    expect(await run(() => 5_000, 6)).toEqual({ runs: 7, turns: 0 })
  })

  it('ends after it has outlasted the longest turn', async () => {
    expect(await run((run) => (run < 3 ? 4_900 : 5_100), 6)).toEqual({ runs: 3, turns: 1 })
  })

  it('gives up a shorter turn, and gets another one when it is faster again', async () => {
    expect(await run((run) => (run === 3 ? 5_100 : 10), 4)).toEqual({ runs: 5, turns: 2 })
  })
})

it('the queue for turns may be dropped while somebody has one', async () => {
  const file = path()
  const [db, other] = [await open(file), await open(file)]
  await db.set(['n'], 0)
  let runs = 0
  const run = () =>
    db.unitOfWork(async (unit) => {
      await unit.get(['n'])
      if (++runs % 3 !== 0) await other.set(['n'], runs)
      else other.drizzle.$client.exec('DROP TABLE kv_turns')
      await unit.set(['m'], runs)
    })
  await run()
  await run()
  expect(runs).toBe(6)
  await other.set(['n'], 'other')
  expect((await db.get(['m'])).value).toBe(6)
})

it('a unit gets its turn among the commits of another process', async () => {
  const file = path()
  const db = await open(file)
  await db.set(['n'], 0)
  const child = start('overtake', file)
  onTestFinished(async () => {
    child.process.kill('SIGKILL')
    await child.ended
  })
  await once(child.process.stdout!, 'data')
  const overtaken = async () => {
    const before = (await db.get(['n'])).versionstamp
    while ((await db.get(['n'])).versionstamp === before) await turn()
  }
  for (let units = 0; units < 5; units++) await addSlowly(db, overtaken)
  expect((await db.get(['slow'])).value).toBe(true)
})

it('a process that is killed in its turn does not keep the others for long', async () => {
  const file = path()
  const db = await open(file)
  await db.set(['n'], 0)
  const child = start('die-in-turn', file)
  await once(child.process.stdout!, 'data')
  child.process.kill('SIGKILL')
  await child.ended
  await db.set(['n'], 'free')
  await addSlowly(db, turn).catch(() => {})
  expect((await db.get(['slow'])).value).toBe(true)
})
