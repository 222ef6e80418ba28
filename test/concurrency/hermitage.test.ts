import { type Database, Valkeyrie } from 'valkeyrie'
import { describe, expect, it, onTestFinished } from 'vitest'
import { describeEngines } from '../engines.ts'
import { interleave, type SteppedUnit } from './interleave.ts'

// The anomalies and their names are those of https://github.com/ept/hermitage, with units of work for its transactions.

type Run<T> = SteppedUnit<T>['run']
type Unit = Parameters<Run<unknown>>[0]

const one = ['test', 1] as const
const two = ['test', 2] as const

const read = async (unit: Unit, key: readonly [string, number]) =>
  (await unit.get(key)).value as number | null

async function rows(unit: Pick<Database, 'list'>): Promise<number[]> {
  const values: number[] = []
  for await (const { value } of unit.list({ prefix: ['test'] })) values.push(value as number)
  return values
}

type Three = readonly [Database, Database, Database]

describe('interleaved units of work of one database in memory', () => {
  describeAnomalies(async () => {
    const db = await Valkeyrie.open()
    return [db, db, db]
  })
})

describeEngines('interleaved units of work', (engine) => {
  describeAnomalies(async () => {
    const address = engine.newAddress()
    return [await Valkeyrie.open(address), await Valkeyrie.open(address), await Valkeyrie.open(address)]
  })
})

function describeAnomalies(connect: () => Promise<Three>): void {
  async function open() {
    const [a, b, c] = await connect()
    onTestFinished(async () => void (await Promise.all([a, b, c].map((db) => db.close()))))
    await a.atomic().set(one, 10).set(two, 20).commit()
    const on =
      (db: Database) =>
      <T>(run: Run<T>): SteppedUnit<T> => ({ db, run })
    return { db: a, a: on(a), b: on(b), c: on(c) }
  }

  it('G0: writes of two units do not mix', async () => {
    const { db, a, b } = await open()
    const write =
      (first: number, second: number): Run<void> =>
      async (unit, step) => {
        await step()
        await unit.set(one, first)
        await step()
        await unit.set(two, second)
        await step()
      }
    await interleave('ababab', { a: a(write(11, 21)), b: b(write(12, 22)) })
    expect(await rows(db)).toEqual([12, 22])
    await interleave('abaabb', { a: a(write(31, 41)), b: b(write(32, 42)) })
    expect(await rows(db)).toEqual([32, 42])
  })

  it('G1a: what a unit that throws has written is never read', async () => {
    const { db, a, b } = await open()
    const ran = await interleave<'a' | 'b', unknown>('abaabbb', {
      a: a(async (unit, step) => {
        await step()
        await unit.set(one, 101)
        await step()
        throw new Error('changed my mind')
      }),
      b: b(async (unit, step) => {
        await step()
        const before = await read(unit, one)
        await step()
        const after = [await read(unit, one), await rows(unit)]
        await step()
        return [before, ...after]
      }),
    })
    expect(ran.a).toMatchObject({ attempts: 1, error: { message: 'changed my mind' } })
    expect(ran.b).toMatchObject({ attempts: 1, result: [10, 10, [10, 20]] })
    expect(await rows(db)).toEqual([10, 20])
  })

  it('G1b: what a unit has overwritten itself is never read', async () => {
    const { a, b } = await open()
    const ran = await interleave<'a' | 'b', unknown>('abaabbb', {
      a: a(async (unit, step) => {
        await step()
        await unit.set(one, 101)
        await step()
        await unit.set(one, 11)
        await step()
      }),
      b: b(async (unit, step) => {
        await step()
        const before = await read(unit, one)
        await step()
        const after = await rows(unit)
        await step()
        return [before, after]
      }),
    })
    expect(ran.b).toMatchObject({ attempts: 1, result: [10, [10, 20]] })
  })

  it('G1c: two units do not read what the other has written', async () => {
    const { a, b } = await open()
    const write =
      (written: typeof one | typeof two, value: number, other: typeof one | typeof two): Run<number | null> =>
      async (unit, step) => {
        await step()
        await unit.set(written, value)
        await step()
        const seen = await read(unit, other)
        await step()
        return seen
      }
    const ran = await interleave('ababab', { a: a(write(one, 11, two)), b: b(write(two, 22, one)) })
    expect(ran.a).toMatchObject({ attempts: 1, result: 20 })
    expect(ran.b).toMatchObject({ attempts: 2, result: 11 })
  })

  it('OTV: a unit that has been seen to commit does not vanish', async () => {
    const { db, a, b, c } = await open()
    const ran = await interleave<'a' | 'b' | 'c', unknown>('aababccbbcc', {
      a: a(async (unit, step) => {
        await step()
        await unit.set(one, 11)
        await step()
        await unit.set(two, 19)
        await step()
      }),
      b: b(async (unit, step) => {
        await step()
        await unit.set(one, 12)
        await step()
        await unit.set(two, 18)
        await step()
      }),
      c: c(async (unit, step) => {
        await step()
        const first = await read(unit, one)
        await step()
        const second = await read(unit, two)
        await step()
        const again = await rows(unit)
        await step()
        return [first, second, again]
      }),
    })
    expect(ran.c).toMatchObject({ attempts: 1, result: [11, 19, [11, 19]] })
    expect(await rows(db)).toEqual([12, 18])
  })

  it('PMP: a range that was read does not change', async () => {
    const { a, b } = await open()
    const ran = await interleave<'a' | 'b', unknown>('abbaa', {
      a: a(async (unit, step) => {
        await step()
        const before = await rows(unit)
        await step()
        const after = await rows(unit)
        await step()
        return [before, after]
      }),
      b: b(async (unit, step) => {
        await step()
        await unit.set(['test', 3], 30)
        await step()
      }),
    })
    expect(ran.a).toMatchObject({
      attempts: 1,
      result: [
        [10, 20],
        [10, 20],
      ],
    })
  })

  it('PMP for a write: a unit that deletes what it finds does not act on an older range', async () => {
    const { db, a, b } = await open()
    const ran = await interleave<'a' | 'b', void>('abbaaa', {
      a: a(async (unit, step) => {
        await step()
        const found = await rows(unit)
        await step()
        for (const [index, value] of found.entries()) if (value === 20) await unit.delete(['test', index + 1])
        await step()
      }),
      b: b(async (unit, step) => {
        await step()
        for (const key of [one, two]) await unit.set(key, (await read(unit, key))! + 10)
        await step()
      }),
    })
    expect(ran.a.attempts).toBe(2)
    expect(await rows(db)).toEqual([30])
  })

  it('P4: an update is not lost', async () => {
    const { db, a, b } = await open()
    const increment: Run<void> = async (unit, step) => {
      await step()
      const value = await read(unit, one)
      await step()
      await unit.set(one, value! + 1)
      await step()
    }
    const ran = await interleave('ababab', { a: a(increment), b: b(increment) })
    expect([ran.a.attempts, ran.b.attempts]).toEqual([1, 2])
    expect(await rows(db)).toEqual([12, 20])
  })

  it('G-single: two reads are of one state', async () => {
    const { a, b } = await open()
    const ran = await interleave<'a' | 'b', unknown>('abbbaa', {
      a: a(async (unit, step) => {
        await step()
        const first = await read(unit, one)
        await step()
        const second = await read(unit, two)
        await step()
        return [first, second]
      }),
      b: b(async (unit, step) => {
        await step()
        await unit.set(one, 12)
        await step()
        await unit.set(two, 18)
        await step()
      }),
    })
    expect(ran.a).toMatchObject({ attempts: 1, result: [10, 20] })
  })

  it('G-single with ranges: a key and a range that were read are of one state', async () => {
    const { a, b } = await open()
    const ran = await interleave<'a' | 'b', unknown>('abbaa', {
      a: a(async (unit, step) => {
        await step()
        const first = await read(unit, ['test', 3])
        await step()
        const all = await rows(unit)
        await step()
        return [first, all]
      }),
      b: b(async (unit, step) => {
        await step()
        await unit.set(['test', 3], 30)
        await step()
      }),
    })
    expect(ran.a).toMatchObject({ attempts: 1, result: [null, [10, 20]] })
  })

  it('G-single with an unrelated commit in between: nothing has to run again', async () => {
    const { db, a, b } = await open()
    const ran = await interleave<'a' | 'b', unknown>('abbaa', {
      a: a(async (unit, step) => {
        await step()
        const first = await read(unit, one)
        await step()
        await unit.set(one, first! + (await read(unit, two))!)
        await step()
      }),
      b: b(async (unit, step) => {
        await step()
        await unit.set(['elsewhere'], 1)
        await step()
      }),
    })
    expect(ran.a.attempts).toBe(1)
    expect(await rows(db)).toEqual([30, 20])
  })

  it('G2-item: write skew on two keys that both have read', async () => {
    const { db, a, b } = await open()
    const skew =
      (written: typeof one | typeof two): Run<void> =>
      async (unit, step) => {
        await step()
        const [first, second] = await unit.getMany([one, two])
        await step()
        await unit.set(written, (first.value as number) + (second.value as number))
        await step()
      }
    const ran = await interleave('ababab', { a: a(skew(one)), b: b(skew(two)) })
    expect([ran.a.attempts, ran.b.attempts]).toEqual([1, 2])
    expect(await rows(db)).toEqual([30, 50])
  })

  it('G2: write skew on a range that both have found empty', async () => {
    const { db, a, b } = await open()
    const insertOnce =
      (id: number): Run<boolean> =>
      async (unit, step) => {
        await step()
        const found = (await rows(unit)).some((value) => value % 3 === 0)
        await step()
        if (!found) await unit.set(['test', id], id * 3)
        await step()
        return !found
      }
    const ran = await interleave('ababab', { a: a(insertOnce(3)), b: b(insertOnce(4)) })
    expect(ran.a).toMatchObject({ attempts: 1, result: true })
    expect(ran.b).toMatchObject({ attempts: 2, result: false })
    expect(await rows(db)).toEqual([10, 20, 9])
  })

  it('G2 of three (Fekete and others): a unit that only reads sees a state that some order gives', async () => {
    const { db, a, b, c } = await open()
    const ran = await interleave<'a' | 'b' | 'c', unknown>('abbccaa', {
      a: a(async (unit, step) => {
        await step()
        const all = await rows(unit)
        await step()
        await unit.set(one, all[0]! - all[1]!)
        await step()
      }),
      b: b(async (unit, step) => {
        await step()
        await unit.set(two, (await read(unit, two))! + 5)
        await step()
      }),
      c: c(async (unit, step) => {
        await step()
        const all = await rows(unit)
        await step()
        return all
      }),
    })
    // c has seen b's write and not a's, so a comes after both and must have seen b's.
    expect(ran.c).toMatchObject({ attempts: 1, result: [10, 25] })
    expect(ran.a.attempts).toBe(2)
    expect(await rows(db)).toEqual([-15, 25])
  })
}
