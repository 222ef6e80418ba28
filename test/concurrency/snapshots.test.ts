import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { DatabaseClosedError, SnapshotExpiredError, Valkeyrie } from 'valkeyrie'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { start } from '../processes/child.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitFor } from '../waiting.ts'

const path = temporaryFolder()
const value = z.object({ n: z.int() })

const schemas = Valkeyrie.withSchema(['parents', '*'], value, { indexes: [{ on: 'n' }] }).withSchema(
  ['parents', '*', 'children', '*'],
  value,
  { name: 'children' },
)

async function open(file: string | undefined, options = {}) {
  const db = await schemas.open(file, options)
  onTestFinished(() => db.close())
  return db
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe.each(['a file', 'memory'])('on %s', (place) => {
  const file = () => (place === 'memory' ? undefined : path())

  it('units that read two keys finish at once and whole, while both are changed all the time', async () => {
    const db = await open(file())
    let writing = true
    let written = 0
    const writer = (async () => {
      for (; writing; written++) {
        await db.atomic().set(['a'], written).set(['b'], written).commit()
        await turn()
      }
    })()
    let runs = 0
    for (let units = 0; units < 50; units++) {
      const before = written
      const [a, b] = await db.unitOfWork(async (unit) => {
        runs += 1
        const first = (await unit.get(['a'])).value
        while (written < before + 2) await turn()
        return [first, (await unit.get(['b'])).value]
      })
      expect(a).toBe(b)
    }
    writing = false
    await writer
    expect(runs).toBe(50)
  })

  it('a snapshot reads one state, by whatever call', async () => {
    const db = await open(file())
    const { parents, children } = db.repositories
    const write = async (n: number) => {
      await db
        .atomic()
        .set(['parents', 'p'], { n })
        .set(['parents', 'p', 'children', 'c'], { n })
        .set(['parents', `q${n}`], { n })
        .delete(['parents', `q${n - 1}`])
        .commit()
    }
    await write(1)
    await db.snapshot(async (view) => {
      const seen = async () => ({
        get: (await view.get(['parents', 'p'])).value,
        getMany: (
          await view.getMany([
            ['parents', 'q1'],
            ['parents', 'q2'],
          ])
        ).map((entry) => entry.value),
        list: (await Array.fromAsync(view.list({ prefix: ['parents'] }), ({ key }) => key)).length,
        ids: await Array.fromAsync(view.repositories.parents.list(), ({ id }) => id),
        exists: await view.repositories.parents.exists('q1'),
        count: await view.repository(['parents', '*']).count({ where: { n: 1 } }),
        sum: (await view.repositories.parents.aggregate({ sum: 'n' })).sum,
        with: (await view.repositories.parents.findFirst({ with: { children: true } }))?.children.map(
          (child) => child.value.n,
        ),
        page: (await view.repositories.parents.findPage({ orderBy: { n: 'desc' }, limit: 5 })).entries.map(
          ({ id, value }) => [id, value.n],
        ),
      })
      const before = await seen()
      for (let n = 2; n < 5; n++) await write(n)
      await parents.deleteMany({ where: { n: 4 } })
      expect(await seen()).toEqual(before)
      await db.clear()
      expect(await seen()).toEqual(before)
      expect(before).toMatchObject({ get: { n: 1 }, ids: ['p', 'q1'], sum: { n: 2 }, with: [1] })
    })
    expect(await children.count()).toBe(0)
  })

  it('a snapshot goes on showing what expires or is swept in it', async () => {
    const db = await open(file())
    await db.repositories.parents.set('p', { n: 1 }, { expireIn: 5 })
    const expired = Date.now() + 6
    await db.snapshot(async (view) => {
      const seen = async () => [
        (await view.get(['parents', 'p'])).value,
        await view.repositories.parents.count(),
        (await view.repositories.parents.findMany({ where: { n: 1 } })).length,
      ]
      const before = await seen()
      while (Date.now() < expired) await wait(2)
      await db.cleanup()
      expect(await seen()).toEqual(before)
    })
  })

  it('misuse of a snapshot is a TypeError', async () => {
    const db = await open(file())
    await expect(db.snapshot(undefined as never)).rejects.toThrow('snapshot takes a function of the view')
    await expect(db.snapshot(() => 1, { Signal: null } as never)).rejects.toThrow("write 'signal'")
    await expect(db.snapshot(() => db.snapshot(() => 1))).rejects.toThrow('use what the outer function gets')
    await expect(db.unitOfWork(() => db.snapshot(() => 1))).rejects.toThrow(TypeError)
    expect(await db.snapshot(() => db.unitOfWork(async (unit) => (await unit.get(['a'])).value))).toBeNull()
    let left: { get(key: readonly [string]): Promise<unknown> } | undefined
    await db.snapshot(async (view) => {
      left = view
      const writes = view as unknown as typeof db
      await expect(writes.set(['a'], 1)).rejects.toThrow('A snapshot only reads')
      await expect(writes.delete(['a'])).rejects.toThrow('A snapshot only reads')
      await expect(writes.repositories.parents.insert('a', { n: 1 })).rejects.toThrow('A snapshot only reads')
      expect(() => writes.repositories.parents.watch('a')).toThrow('in which nothing changes')
    })
    await expect(left!.get(['a'])).rejects.toThrow('This snapshot has ended')
  })

  it('an abort ends a snapshot, and what it goes on to read is refused', async () => {
    const db = await open(file())
    const controller = new AbortController()
    const after = Promise.withResolvers<unknown>()
    const snapshot = db.snapshot(
      async (view) => {
        await view.get(['a'])
        controller.abort(new Error('enough'))
        await turn()
        view.get(['a']).then(after.reject, after.resolve)
        await new Promise(() => {})
      },
      { signal: controller.signal },
    )
    await expect(snapshot).rejects.toThrow('enough')
    expect(await after.promise).toBeInstanceOf(TypeError)
    await expect(db.snapshot(() => 1, { signal: controller.signal })).rejects.toThrow('enough')
  })

  it('a hundred units that read different states at a time all finish, whole', async () => {
    const db = await open(file())
    await db.set(['a'], 0)
    await db.set(['b'], 0)
    const all = Promise.withResolvers<void>()
    let waiting = 0
    const units = []
    for (let n = 1; n <= 100; n++) {
      units.push(
        db.unitOfWork(async (unit) => {
          const a = (await unit.get(['a'])).value
          waiting += 1
          // The first ones hold their states until others wait for theirs.
          if (waiting >= 20) all.resolve()
          await all.promise
          return [a, (await unit.get(['b'])).value]
        }),
      )
      await db.atomic().set(['a'], n).set(['b'], n).commit()
    }
    for (const [a, b] of await Promise.all(units)) expect(a).toBe(b)
  })

  it('closing ends the reads of units and snapshots that are open', async () => {
    const db = await open(file())
    await db.set(['a'], 1)
    const read = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    const unit = db.unitOfWork(async (unit) => {
      await unit.get(['a'])
      read.resolve()
      await closed.promise
      await unit.get(['a'])
    })
    const snapshot = db.snapshot(async (view) => {
      await view.get(['a'])
      await closed.promise
      await view.repositories.parents.findMany()
    })
    const outcomes = Promise.allSettled([unit, snapshot])
    await read.promise
    await db.close()
    closed.resolve()
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(DatabaseClosedError) })
    }
  })
})

/** Stops time, except for the clock that a test sets and the time that it advances. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['Date', 'hrtime', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
}

it('a state that is held for too long is reported, then released', async () => {
  holdTime()
  const db = await open(path(), { snapshotTimeout: 10_000 })
  await db.set(['a'], 1)
  const warned = once(process, 'warning')
  const unit = db.unitOfWork(async (unit) => {
    await unit.get(['a'])
    await db.set(['a'], 2)
    vi.advanceTimersByTime(2_000)
    const [warning] = await waitFor('the warning', warned)
    expect(warning).toMatchObject({ name: 'LongSnapshotWarning' })
    expect(JSON.parse(warning.detail).age).toBeGreaterThanOrEqual(1_000)
    vi.advanceTimersByTime(9_000)
    await unit.get(['a'])
  })
  const error = await unit.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(SnapshotExpiredError)
  expect((error as SnapshotExpiredError).age).toBeGreaterThanOrEqual(10_000)
  expect((await db.get(['a'])).value).toBe(2)
})

it('a clock that is put forward ends no snapshot, and one that is put back keeps none', async () => {
  holdTime()
  const db = await open(path(), { snapshotTimeout: 10_000 })
  await db.set(['a'], 1)
  const hour = 3_600_000
  for (const change of [hour, -hour]) {
    let inTime: unknown
    const late = db.snapshot(async (view) => {
      await view.get(['a'])
      vi.setSystemTime(Date.now() + change)
      vi.advanceTimersByTime(2_000)
      inTime = (await view.get(['a'])).value
      vi.advanceTimersByTime(9_000)
      await view.get(['a'])
    })
    await expect(late).rejects.toMatchObject({ name: 'SnapshotExpiredError', age: expect.any(Number) })
    expect(inTime).toBe(1)
  }
})

it.each([4_000, 6_000])('a snapshot beside others that are %i ms old has the whole time', async (age) => {
  holdTime()
  const db = await open(path(), { snapshotTimeout: 10_000 })
  await db.set(['a'], 1)
  const held = Promise.withResolvers<void>()
  const begun = Array.from({ length: 6 }, () => Promise.withResolvers<void>())
  const older = begun.map(({ resolve }) =>
    db.snapshot(async (view) => {
      await view.get(['a'])
      resolve()
      await held.promise
      await view.get(['a'])
    }),
  )
  const outcomes = Promise.allSettled(older)
  await Promise.all(begun.map(({ promise }) => promise))
  vi.advanceTimersByTime(age)
  let inTime: unknown
  const read = db.snapshot(async (view) => {
    await view.get(['a'])
    vi.advanceTimersByTime(9_000)
    inTime = (await view.get(['a'])).value
    vi.advanceTimersByTime(2_000)
    await view.get(['a'])
  })
  await expect(read).rejects.toBeInstanceOf(SnapshotExpiredError)
  expect(inTime).toBe(1)
  held.resolve()
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ reason: expect.any(SnapshotExpiredError) })
  }
})

it('a unit whose state was let go after its last read commits all the same', async () => {
  const db = await open(path(), { snapshotTimeout: 20 })
  await db.set(['a'], 1)
  await db.unitOfWork(async (unit) => {
    const { value } = await unit.get(['a'])
    await wait(100)
    await unit.set(['b'], value)
  })
  expect((await db.get(['b'])).value).toBe(1)
})

it.each(['a file', 'memory'])(
  'what a unit on %s has written is kept no longer than the unit',
  async (place) => {
    const db = await open(place === 'memory' ? undefined : path())
    await db.unitOfWork(async ({ repositories: { parents } }) => {
      for (let n = 0; n < 50; n++) await parents.set(`p${n}`, { n })
      expect(await parents.count()).toBe(50)
    })
    expect(db.drizzle.$client.prepare('SELECT count(*) FROM temp.kv_shown').pluck().get()).toBe(0)
  },
)

it('a file that was replaced is not read beside the one that is open', async () => {
  const { copyFileSync, renameSync } = await import('node:fs')
  const [file, other] = [path(), path()]
  const db = await open(file)
  await db.set(['a'], 1)
  const copy = await open(other)
  await copy.set(['a'], 2)
  await copy.close()
  copyFileSync(other, `${file}.new`)
  await db.snapshot(async (view) => {
    expect((await view.get(['a'])).value).toBe(1)
    renameSync(`${file}.new`, file)
    await expect(db.get(['a'])).rejects.toMatchObject({ engineCode: 'SQLITE_READONLY_DBMOVED' })
    expect((await view.get(['a'])).value).toBe(1)
  })
})

it('a process that is killed while it holds snapshots keeps nobody from anything', async () => {
  const file = path()
  const db = await open(file)
  await db.set(['a'], 1)
  const child = start('hold-snapshots', file)
  await once(child.process.stdout!, 'data')
  child.process.kill('SIGKILL')
  await child.ended
  await db.set(['a'], 2)
  db.drizzle.$client.pragma('wal_checkpoint(TRUNCATE)')
  expect(db.drizzle.$client.pragma('wal_checkpoint(TRUNCATE)')).toEqual([
    { busy: 0, log: 0, checkpointed: 0 },
  ])
  expect(await db.snapshot(async (view) => (await view.get(['a'])).value)).toBe(2)
})
