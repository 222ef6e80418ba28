import fc from 'fast-check'
import { defineValueType, Valkeyrie } from 'valkeyrie'
import { queue, type Schedule } from 'valkeyrie/queue'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { PassedOver } from '../../src/delivery/passed-over.ts'
import { Occurrences } from '../../src/queue/cron.ts'
import { dueTimes } from '../../src/queue/due-times.ts'
import { fireSchedules, isLeftOut } from '../../src/queue/fire-schedules.ts'
import { termsOf } from '../../src/queue/options.ts'
import { QueueRows } from '../../src/queue/queue-rows.ts'
import { warn } from '../../src/queue/warn.ts'
import { seedOfThisRun } from '../concurrency/random.ts'
import { newAddress } from '../engine-of-project.ts'
import { extent } from '../extent.ts'
import { sharedAddresses } from '../shared-addresses.ts'
import { stillClock } from '../still-clock.ts'
import { waitUntil } from '../waiting.ts'

const newPath = sharedAddresses()

/** The times from one on, as ISO 8601 texts without their milliseconds. */
function times(cron: string, timeZone: string, from: string, count: number): string[] {
  const occurrences = new Occurrences(cron, timeZone)
  const found: string[] = []
  for (let time = Date.parse(from); found.length < count; ) {
    time = occurrences.after(time)!
    found.push(new Date(time).toISOString().replace('.000Z', 'Z'))
  }
  return found
}

const hourly = 3_600_000

describe('the times', () => {
  it.each<[string, string, string, string, string[]]>([
    [
      'a time that summer time leaves out comes when the clock goes on',
      '30 2 * * *',
      'Europe/Paris',
      '2026-03-28T00:00Z',
      ['2026-03-28T01:30:00Z', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z'],
    ],
    [
      'a time that comes twice is taken once',
      '30 2 * * *',
      'Europe/Paris',
      '2026-10-24T00:00Z',
      ['2026-10-24T00:30:00Z', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'],
    ],
    [
      'of a list of times, those that summer time leaves out come at once when the clock goes on',
      '0,30 2 * * *',
      'Europe/Paris',
      '2026-03-28T02:00Z',
      ['2026-03-29T01:00:00Z', '2026-03-30T00:00:00Z', '2026-03-30T00:30:00Z'],
    ],
    [
      'each time of a list is taken once when it comes twice',
      '30 1-3 * * *',
      'Europe/Paris',
      '2026-10-24T22:00Z',
      ['2026-10-24T23:30:00Z', '2026-10-25T00:30:00Z', '2026-10-25T02:30:00Z', '2026-10-26T00:30:00Z'],
    ],
    [
      'an interval has no run in a span that is left out',
      '*/30 2 * * *',
      'Europe/Paris',
      '2026-03-28T02:00Z',
      ['2026-03-30T00:00:00Z', '2026-03-30T00:30:00Z'],
    ],
    [
      'every hour is every hour, also when one comes twice',
      '0 * * * *',
      'Europe/Paris',
      '2026-10-24T23:30Z',
      ['2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z'],
    ],
    [
      '…and when one is left out',
      '0 * * * *',
      'America/New_York',
      '2026-03-08T05:30Z',
      ['2026-03-08T06:00:00Z', '2026-03-08T07:00:00Z', '2026-03-08T08:00:00Z'],
    ],
    [
      'weekdays are those of the time zone',
      '0 9 * * 1-5',
      'Pacific/Auckland',
      '2026-07-03T00:00Z',
      ['2026-07-05T21:00:00Z', '2026-07-06T21:00:00Z'],
    ],
    [
      'a half hour of summer time',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-03T12:00Z',
      ['2026-04-03T14:45:00Z', '2026-04-04T14:45:00Z', '2026-04-05T15:15:00Z'],
    ],
    [
      'the last day of a month, in a leap year',
      '0 0 L * *',
      'UTC',
      '2028-02-01T00:00Z',
      ['2028-02-29T00:00:00Z', '2028-03-31T00:00:00Z'],
    ],
    [
      'seconds',
      '*/20 * * * * *',
      'UTC',
      '2026-01-01T00:00:30Z',
      ['2026-01-01T00:00:40Z', '2026-01-01T00:01:00Z'],
    ],
    ['names', '@weekly', 'UTC', '2026-01-01T00:00Z', ['2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z']],
  ])('%s', (_, cron, timeZone, from, expected) => {
    expect(times(cron, timeZone, from, expected.length)).toStrictEqual(expected)
  })

  it('are one, none or all of the missed ones, and the next is in the future', () => {
    const minute = 60_000
    const row = (misfire: 'once' | 'skip' | 'all', next: number) =>
      ({
        cron: '*/5 * * * *',
        timeZone: 'UTC',
        misfire,
        payload: null,
        priority: 0,
        group: null,
        next,
      }) as const
    const five = 5 * minute
    for (const misfire of ['once', 'skip', 'all'] as const) {
      expect(dueTimes(row(misfire, five), five)).toStrictEqual({ times: [five], next: 2 * five })
      expect(dueTimes(row(misfire, five), five + 50)).toStrictEqual({ times: [five], next: 2 * five })
    }
    const late = 4 * five + 2 * minute
    expect(dueTimes(row('once', five), late)).toStrictEqual({ times: [4 * five], next: 5 * five })
    expect(dueTimes(row('skip', five), late)).toStrictEqual({ times: [], next: 5 * five })
    expect(dueTimes(row('skip', five), 4 * five + 10)).toStrictEqual({ times: [4 * five], next: 5 * five })
    expect(dueTimes(row('skip', five), five + 2 * minute)).toStrictEqual({ times: [], next: 2 * five })
    expect(dueTimes(row('all', five), late)).toStrictEqual({
      times: [1, 2, 3, 4].map((n) => n * five),
      next: 5 * five,
    })
  })

  it('for any lateness, once gives the last that is due, and skip and all agree with it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('*/7 * * * *', '0 3 * * *', '*/10 * * * * *', '0 0 1 * *', '30 2 29 2 *'),
        fc.constantFrom('UTC', 'Europe/Paris', 'America/St_Johns'),
        fc.integer({ min: 0, max: 40 * 86_400_000 }),
        (cron, timeZone, lateness) => {
          const first = new Occurrences(cron, timeZone).after(Date.UTC(2026, 2, 1))!
          const now = first + (cron.startsWith('*/10') ? lateness % 3_600_000 : lateness)
          const row = { cron, timeZone, payload: null, priority: 0, group: null, next: first } as const
          const all: number[] = []
          const occurrences = new Occurrences(cron, timeZone)
          for (let time: number | null = first; time !== null && time <= now; time = occurrences.after(time))
            all.push(time)
          const next = occurrences.after(all.at(-1)!)
          expect(dueTimes({ ...row, misfire: 'once' }, now)).toStrictEqual({ times: [all.at(-1)], next })
          const isLate = now - all.at(-1)! > 60_000
          expect(dueTimes({ ...row, misfire: 'skip' }, now)).toStrictEqual({
            times: isLate ? [] : [all.at(-1)],
            next,
          })
          if (all.length < 1_000)
            expect(dueTimes({ ...row, misfire: 'all' }, now)).toStrictEqual({ times: all, next })
        },
      ),
      { numRuns: extent('latenesses', 8, 60) },
    )
  })
})

describe('a schedule', () => {
  const reports = queue('reports', z.object({ name: z.string() }), { lease: 600_000, concurrency: 8 })
  const open = () =>
    Valkeyrie.withSchemas([...reports.definitions]).open(newAddress(), { onUnindexed: 'error' })
  type Db = Awaited<ReturnType<typeof open>>

  /** Has so many workers run until nothing is due, and gives the ids of the jobs. */
  async function work(db: Db, workers = 3): Promise<string[]> {
    const ids: string[] = []
    const all = Array.from({ length: workers }, () => reports.process(db, ({ id }) => ids.push(id)))
    await waitUntil('the end of what is due', async () => {
      // In this order: what fires is a job by the time that no schedule is due.
      const due = await db.repositories.reportsSchedules.count({
        where: {
          next: { lte: Date.now() },
          // A schedule whose job was enqueued early moves on before its next time.
          OR: [{ ahead: { isNull: true } }, { next: { lte: Date.now() - 1_000 } }],
        },
      })
      const { ready, active } = await reports.counts(db)
      return ready + active + due === 0
    })
    await Promise.all(all.map((worker) => worker.stop()))
    return ids.toSorted()
  }

  it('enqueues a job at each of its times, once, however many workers there are', async () => {
    const clock = stillClock()
    await using db = await open()
    const start = clock.now
    for (let n = 0; n < 50; n++)
      await reports.schedule(db, `s${n}`, { cron: '0 * * * *', payload: { name: `${n}` } })
    expect(await work(db)).toStrictEqual([])
    const hour = new Date(Math.floor(start / 3_600_000 + 1) * 3_600_000)
    clock.advance(hour.getTime() - start)
    const expected = Array.from({ length: 50 }, (_, n) => `s${n}@${hour.toISOString()}`).toSorted()
    expect(await work(db)).toStrictEqual(expected)
    expect(await work(db)).toStrictEqual([])
    clock.advance(3_600_000)
    expect(await work(db)).toHaveLength(50)
  })

  it('fires once if another process fires it and does its job between a read and its commit', async () => {
    const clock = stillClock()
    const path = newPath()
    const openFile = () => Valkeyrie.withSchemas([...reports.definitions]).open(path)
    await using quick = await openFile()
    await using slow = await openFile()
    for (const id of ['a', 'b', 'c']) {
      await reports.schedule(quick, id, { cron: '0 * * * *', payload: { name: id } })
    }
    clock.advance(3_600_000)
    const seen: string[] = []
    const { atomic } = slow
    const tried = Promise.withResolvers<unknown>()
    let isFirst = true
    slow.atomic = () => {
      const operation = atomic.call(slow)
      const commit = operation.commit.bind(operation)
      operation.commit = async () => {
        if (!isFirst) return commit()
        isFirst = false
        seen.push(...(await work(quick, 1)))
        const result = commit()
        tried.resolve(result)
        return result
      }
      return operation
    }
    // While it waits, it may be told of jobs that the other one has fired, and do them.
    seen.push(...(await work(slow, 1)))
    await tried.promise
    expect(await work(slow, 1)).toStrictEqual([])
    expect(seen.map((id) => id.split('@')[0]).toSorted()).toStrictEqual(['a', 'b', 'c'])
  })

  /** Stops the clock so many milliseconds before an hour, which it gives. */
  function beforeTheHour(milliseconds: number) {
    const clock = stillClock()
    const hour = Math.ceil(clock.now / hourly) * hourly
    clock.advance(hour - milliseconds - clock.now)
    return { clock, hour, iso: new Date(hour).toISOString() }
  }

  /** Has a worker enqueue the jobs of the hour, before it has come, and end. */
  async function fireAhead(db: Db, jobs: number): Promise<void> {
    await using _ = reports.process(db, () => expect.unreachable('the hour has not come'))
    await waitUntil('jobs of the hour', async () => (await reports.counts(db)).delayed === jobs)
  }

  const schedulesOf = async (db: Db) =>
    new Map((await db.repositories.reportsSchedules.findMany()).map(({ id, value }) => [id, value]))

  it('has its job enqueued a moment before its time, once over all workers, and taken at it', async () => {
    const { clock, hour, iso } = beforeTheHour(500)
    const path = newPath()
    const openFile = () => Valkeyrie.withSchemas([...reports.definitions]).open(path)
    await using db = await openFile()
    await using other = await openFile()
    const ids = Array.from({ length: 30 }, (_, n) => `s${n}`)
    for (const id of ids) await reports.schedule(db, id, { cron: '0 * * * *', payload: { name: id } })
    await Promise.all([fireAhead(db, 30), fireAhead(other, 30)])
    for (const { value } of await db.repositories.reports.findMany()) {
      expect(value).toMatchObject({ due: hour, attempts: 0, worker: null })
    }
    clock.advance(500)
    expect([...(await work(db)), ...(await work(other))].toSorted()).toStrictEqual(
      ids.map((id) => `${id}@${iso}`).toSorted(),
    )
    clock.advance(hourly - 5_000)
    expect([...(await work(db)), ...(await work(other))]).toStrictEqual([])
    expect([...(await schedulesOf(db)).values()].map(({ next }) => next)).toStrictEqual(
      ids.map(() => hour + hourly),
    )
  })

  it('that ends or changes between the moment before its time and that time', async () => {
    const { clock, hour, iso } = beforeTheHour(500)
    await using db = await open()
    const say = (id: string, name: string, cron = '0 * * * *') =>
      reports.schedule(db, id, { cron, payload: { name } })
    for (const id of ['same', 'ended', 'payload', 'later', 'group']) await say(id, 'first')
    await fireAhead(db, 5)
    await say('same', 'first')
    expect(await reports.unschedule(db, 'ended')).toBe(true)
    await db.unitOfWork(async (unit) => {
      await reports.schedule(unit, 'payload', { cron: '0 * * * *', payload: { name: 'second' } })
    })
    await say('later', 'second', '30 * * * *')
    await reports.schedule(db, 'group', { cron: '0 * * * *', payload: { name: 'first' }, group: 'g' })
    expect((await db.repositories.reports.findMany()).map(({ id }) => id)).toStrictEqual([`same@${iso}`])
    await fireAhead(db, 2)
    clock.advance(500)
    const done: string[][] = []
    await using _ = reports.process(db, ({ id, payload }) => done.push([id, payload.name]))
    await waitUntil('the jobs', () => done.length === 3)
    expect(done.toSorted()).toStrictEqual([
      [`group@${iso}`, 'first'],
      [`payload@${iso}`, 'second'],
      [`same@${iso}`, 'first'],
    ])
    expect((await schedulesOf(db)).get('later')?.next).toBe(hour + hourly / 2)
  })

  it('differs if its payload differs inside an instance', async () => {
    class Sealed {
      readonly #text: string

      constructor(text: string) {
        this.#text = text
      }

      get text() {
        return this.#text
      }
    }
    const sealed = defineValueType({
      name: 'Sealed',
      class: Sealed,
      encode: ({ text }) => text,
      decode: (text: string) => new Sealed(text),
    })
    const letters = queue('letters', z.instanceof(Sealed), { valueTypes: [sealed] })
    await using db = await Valkeyrie.withSchemas([...letters.definitions]).open()
    const said: string[] = []
    for (const text of ['first', 'second', 'second']) {
      await letters.schedule(db, 's', { cron: '@hourly', payload: new Sealed(text) })
      const { value, versionstamp } = await db.repositories.lettersSchedules.get('s')
      said.push(`${value!.payload.text} ${versionstamp}`)
    }
    expect(said[0]).toMatch(/^first /)
    expect(said[1]).toMatch(/^second /)
    expect(said[2]).toBe(said[1])
  })

  it('that ends or changes after its time leaves its job', async () => {
    const { clock, iso } = beforeTheHour(500)
    await using db = await open()
    for (const id of ['ended', 'changed'])
      await reports.schedule(db, id, { cron: '0 * * * *', payload: { name: 'first' } })
    await fireAhead(db, 2)
    clock.advance(500)
    await reports.unschedule(db, 'ended')
    await reports.schedule(db, 'changed', { cron: '0 * * * *', payload: { name: 'second' } })
    expect(await work(db)).toStrictEqual([`changed@${iso}`, `ended@${iso}`])
    clock.advance(hourly - 5_000)
    expect(await work(db)).toStrictEqual([])
  })

  it.each([1, 3])(
    'whose workers end a moment before its time misses it, with %i workers afterwards',
    async (workers) => {
      const { clock, hour } = beforeTheHour(500)
      await using db = await open()
      for (const misfire of ['once', 'skip', 'all'] as const)
        for (let n = 0; n < 5; n++)
          await reports.schedule(db, `${misfire} ${n}`, {
            cron: '0 * * * *',
            misfire,
            payload: { name: 'a' },
          })
      await fireAhead(db, 15)
      clock.advance(500 + 3 * hourly + 120_000)
      const at = (id: string, hours: number) => `${id}@${new Date(hour + hours * hourly).toISOString()}`
      const expected = [0, 1, 2, 3, 4].flatMap((n) => [
        at(`once ${n}`, 3),
        ...[0, 1, 2, 3].map((hours) => at(`all ${n}`, hours)),
      ])
      expect(await work(db, workers)).toStrictEqual(expected.toSorted())
      await waitUntil('the next hour', async () =>
        [...(await schedulesOf(db)).values()].every(({ next }) => next === hour + 4 * hourly),
      )
      expect(await reports.counts(db)).toMatchObject({ ready: 0, delayed: 0, active: 0 })
    },
  )

  it('that was missed waits for a worker that has just taken its job, which leaves it out', async () => {
    const { clock, hour } = beforeTheHour(500)
    await using db = await open()
    await reports.schedule(db, 's', { cron: '0 * * * *', payload: { name: 'a' } })
    await fireAhead(db, 1)
    clock.advance(500 + 3 * hourly + 120_000)
    const lease = 600_000
    const terms = termsOf({ lease })
    const rows = new QueueRows('reports', z.object({ name: z.string() }), reports.definitions as never, terms)
    const database = db as never
    const passedOver = new PassedOver(() => clock.now, warn)
    const taken = { attempts: 1, worker: 'w', due: clock.now + lease }
    const [job] = await db.repositories.reports.findMany()
    await db.repositories.reports.update(job!.id, (value) => ({ ...value, ...taken }))
    const next = async () => (await schedulesOf(db)).get('s')!.next
    await fireSchedules({ rows, database, passedOver })
    expect(await next()).toBe(hour)
    expect(await isLeftOut(rows, database, job!.id, clock.now)).toBe(true)
    await db.repositories.reports.delete(job!.id)
    await fireSchedules({ rows, database, passedOver })
    expect(await next()).toBe(hour + 4 * hourly)

    // A job that a worker has had for longer is running.
    const [last] = await db.repositories.reports.findMany()
    await db.repositories.reports.update(last!.id, (value) => ({ ...value, ...taken }))
    clock.advance(hourly)
    await fireSchedules({ rows, database, passedOver })
    expect(await next()).toBe(hour + 5 * hourly)
  })

  it('whose workers are busy at its time has not missed it', async () => {
    const { clock, hour, iso } = beforeTheHour(500)
    await using db = await open()
    await reports.schedule(db, 's', { cron: '0 * * * *', misfire: 'skip', payload: { name: 'a' } })
    await reports.enqueue(db, { name: 'long' })
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const seen: string[] = []
    await using _ = reports.process(
      db,
      async ({ id, payload }) => {
        if (payload.name !== 'long') return void seen.push(id)
        begun.resolve()
        await end.promise
      },
      { concurrency: 1 },
    )
    await begun.promise
    await waitUntil('the job', async () => (await reports.counts(db)).delayed === 1)
    clock.advance(500 + 30_000)
    await waitUntil('the next hour', async () => (await schedulesOf(db)).get('s')?.next === hour + hourly)
    clock.advance(600_000)
    end.resolve()
    await waitUntil('the job', () => seen.length > 0)
    expect(seen).toStrictEqual([`s@${iso}`])
  })

  it('runs each occurrence once, for any clock and any times at which workers run', async () => {
    const step = fc.record({
      by: fc.integer({ min: -300, max: 2_500 }),
      workers: fc.constantFrom(0, 1, 2),
      change: fc.constantFrom('none', 'none', 'none', 'same', 'payload'),
    })
    const clock = stillClock()
    const law = fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await using db = await open()
      const say = (name: string) =>
        reports.schedule(db, 's', { cron: '* * * * * *', misfire: 'all', payload: { name } })
      await say('0')
      const first = (await schedulesOf(db)).get('s')!.next!
      let latest = clock.now
      const done: string[] = []
      for (const [n, { by, workers, change }] of [
        ...steps,
        { by: 5_000, workers: 1, change: 'none' },
      ].entries()) {
        clock.advance(by)
        if (change !== 'none') await say(change === 'same' ? '0' : `${n}`)
        if (workers === 0) continue
        done.push(...(await work(db, workers)))
        latest = Math.max(latest, clock.now)
      }
      const expected: string[] = []
      for (let time = first; time <= latest; time += 1_000) expected.push(`s@${new Date(time).toISOString()}`)
      expect(done.toSorted()).toStrictEqual(expected)
    })
    await fc.assert(law, { seed: seedOfThisRun(), numRuns: extent('clocks', 5, 15) })
  })

  it('fires while a worker waits', async () => {
    await using db = await open()
    const seen: string[] = []
    await using _ = reports.process(db, ({ payload }) => seen.push(payload.name))
    await reports.schedule(db, 'soon', { cron: '* * * * * *', payload: { name: 'soon' } })
    await waitUntil('two jobs', () => seen.length >= 2)
    expect(await reports.unschedule(db, 'soon')).toBe(true)
    expect(await reports.unschedule(db, 'soon')).toBe(false)
  })

  it('continues if it is set again; with other times it starts again', async () => {
    const clock = stillClock()
    await using db = await open()
    const said = { cron: '0 * * * *', payload: { name: 'a' } }
    const next = async () => (await db.repositories.reportsSchedules.get('s')).value!.next!
    await reports.schedule(db, 's', said)
    const first = await next()
    clock.advance(7_200_000)
    await db.unitOfWork((unit) => reports.schedule(unit, 's', { ...said, payload: { name: 'b' } }))
    expect(await next()).toBe(first)
    await reports.schedule(db, 's', { ...said, timeZone: 'Asia/Kolkata' })
    expect(await next()).toBeGreaterThan(clock.now)
    expect((await db.repositories.reportsSchedules.get('s')).value?.payload).toStrictEqual({ name: 'a' })
  })

  it('that never fires is kept, and one that cannot be read here delays no other', async () => {
    const clock = stillClock()
    await using db = await open()
    await reports.schedule(db, 'never', { cron: '0 0 30 2 *', payload: { name: 'never' } })
    await reports.schedule(db, 'good', { cron: '0 * * * *', payload: { name: 'good' } })
    const { reportsSchedules } = db.repositories
    const { value } = await reportsSchedules.get('good')
    await reportsSchedules.set('bad', { ...value!, cron: 'no cron', next: 5 })
    clock.advance(3_600_000)
    expect(await work(db)).toHaveLength(1)
  })

  it.each<[object, string]>([
    [{ cron: '61 * * * *' }, "'61 * * * *' is not a cron expression"],
    [{ cron: '* * *' }, 'not a cron expression'],
    [{ cron: 5 }, 'cron must be an expression'],
    [{ timeZone: 'Europe/Nowhere' }, "There is no time zone 'Europe/Nowhere'"],
    [{ misfire: 'never' }, "misfire must be 'once', 'skip' or 'all'"],
    [{ payload: { name: 5 } }, 'name'],
    [{ priority: 1.5 }, 'priority must be a whole number'],
    [{ every: 5 }, "There is no option 'every' of schedule"],
  ])('refuses %j', async (wrong, message) => {
    await using db = await open()
    const schedule = { cron: '* * * * *', payload: { name: 'a' }, ...wrong } as Schedule<{ name: string }>
    await expect(reports.schedule(db, 's', schedule)).rejects.toThrow(message)
  })

  it('refuses an id or a group that leaves no room for the keys of its jobs', async () => {
    await using db = await open()
    const schedule = { cron: '* * * * *', payload: { name: 'a' } }
    const [long, longer] = [1_990, 2_010].map((length) => 'x'.repeat(length)) as [string, string]
    const tooLong = 'The key is longer than 2048 bytes'
    await reports.schedule(db, long, schedule)
    await expect(reports.schedule(db, longer, schedule)).rejects.toThrow(tooLong)
    await expect(reports.schedule(db, 's', { ...schedule, group: longer })).rejects.toThrow(tooLong)
    expect((await Array.fromAsync(db.repositories.reportsSchedules.list())).map(({ id }) => id)).toEqual([
      long,
    ])
  })

  it('has its jobs done where limits.keyBytes is raised for its id', async () => {
    const clock = stillClock()
    const definitions = [...reports.definitions]
    await using db = await Valkeyrie.withSchemas(definitions).open(newPath(), { limits: { keyBytes: 5_000 } })
    await reports.schedule(db, 'x'.repeat(4_000), { cron: '0 * * * *', payload: { name: 'a' } })
    clock.advance(hourly)
    expect(await work(db)).toHaveLength(1)
    expect(await reports.counts(db)).toMatchObject({ delayed: 0, ready: 0, active: 0, dead: 0 })
  })
})
