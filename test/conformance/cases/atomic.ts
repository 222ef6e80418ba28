import { KvU64, ValidationError, Valkeyrie } from 'valkeyrie'
import { expect } from 'vitest'
import type { Cases } from '../suite.ts'
import { alice, schemas } from './schemas.ts'

export const atomicCases: Cases = {
  'all mutations of a commit share one versionstamp': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const result = await db.atomic().set(['a'], 1).set(['b'], 2).sum(['c'], 3n).commit()
    if (!result.ok) throw new Error('conflict')
    const entries = await db.getMany([['a'], ['b'], ['c']])
    expect(new Set(entries.map(({ versionstamp }) => versionstamp))).toStrictEqual(
      new Set([result.versionstamp]),
    )
  },

  'a check that holds lets the commit pass, and one that fails says what was found': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const { versionstamp } = await db.set(['a'], 1)
    const entry = await db.get(['a'])
    expect(
      await db
        .atomic()
        .check(entry, { key: ['b'], versionstamp: null })
        .set(['a'], 2)
        .commit(),
    ).toMatchObject({
      ok: true,
    })
    const now = await db.get(['a'])
    const failed = await db
      .atomic()
      .check({ key: ['a'], versionstamp }, { key: ['a'], versionstamp: null })
      .check({ key: ['b'], versionstamp })
      .set(['a'], 3)
      .delete(['a'])
      .commit()
    expect(failed).toStrictEqual({
      ok: false,
      conflicts: [
        { key: ['a'], expected: versionstamp, actual: now.versionstamp },
        { key: ['a'], expected: null, actual: now.versionstamp },
        { key: ['b'], expected: versionstamp, actual: null },
      ],
    })
    expect(await db.get(['a'])).toStrictEqual(now)
  },

  'of commits that check the same version, one wins': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['a'], 'start')
    const entry = await db.get(['a'])
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => db.atomic().check(entry).set(['a'], i).commit()),
    )
    expect(results.filter(({ ok }) => ok)).toHaveLength(1)
  },

  'mutations of one key apply in their order': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.atomic().set(['a'], 1).delete(['a']).set(['a'], 2).set(['b'], 1).delete(['b']).commit()
    expect((await db.get(['a'])).value).toBe(2)
    expect((await db.get(['b'])).versionstamp).toBeNull()
    await db.atomic().sum(['n'], 5n).sum(['n'], 5n).max(['n'], 20n).min(['n'], 15n).sum(['n'], -1n).commit()
    expect((await db.get(['n'])).value).toStrictEqual(new KvU64(14n))
  },

  'sum, max and min create a missing key and work on the one that is there': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.atomic().sum(['s'], 2n).max(['x'], new KvU64(2n)).min(['m'], 2n).commit()
    await db.atomic().sum(['s'], new KvU64(3n)).max(['x'], 1n).min(['m'], 1n).commit()
    const values = await db.getMany([['s'], ['x'], ['m']])
    expect(values.map(({ value }) => (value as KvU64).value)).toStrictEqual([5n, 2n, 1n])
  },

  'sum wraps modulo 2^64': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['s'], new KvU64(2n ** 64n - 1n))
    await db.atomic().sum(['s'], 3n).commit()
    expect((await db.get(['s'])).value).toStrictEqual(new KvU64(2n))
  },

  'a sum below zero is a RangeError, and nothing of the commit is written': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['s'], new KvU64(1n))
    await expect(db.atomic().set(['a'], 1).sum(['s'], -2n).set(['b'], 1).commit()).rejects.toThrow(RangeError)
    await expect(db.atomic().sum(['none'], -1n).commit()).rejects.toThrow(RangeError)
    const entries = await db.getMany([['a'], ['s'], ['b'], ['none']])
    expect(entries.map(({ value }) => value)).toStrictEqual([null, new KvU64(1n), null, null])
  },

  'arithmetic on another kind of value is a TypeError, and nothing is written': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['a'], 1)
    for (const type of ['sum', 'max', 'min'] as const) {
      await expect(db.atomic()[type](['a'], 1n).set(['b'], 1).commit()).rejects.toThrow(TypeError)
    }
    expect((await db.get(['b'])).versionstamp).toBeNull()
  },

  'mutate takes mutations as data': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    await db.set(['gone'], 1)
    await db
      .atomic()
      .mutate(
        { type: 'set', key: ['a'], value: 1, expireIn: 60_000 },
        { type: 'sum', key: ['s'], value: 1n },
        { type: 'max', key: ['x'], value: new KvU64(2n) },
        { type: 'min', key: ['m'], value: 3n },
        { type: 'delete', key: ['gone'] },
      )
      .commit()
    const entries = await db.getMany([['a'], ['s'], ['x'], ['m'], ['gone']])
    expect(entries.map(({ value }) => value)).toStrictEqual([
      1,
      new KvU64(1n),
      new KvU64(2n),
      new KvU64(3n),
      null,
    ])
  },

  'values are checked against their schemas before anything is written': async (place) => {
    await using db = await schemas.open(place.path())
    const operation = db
      .atomic()
      .set(['free'], 1)
      .set(['users', 'alice'], { name: 1 } as never)
    const error = await operation.commit().catch((thrown) => thrown)
    expect(error).toBeInstanceOf(ValidationError)
    expect(error).toMatchObject({ code: 'VALIDATION', key: ['users', 'alice'] })
    expect((await db.get(['free'])).versionstamp).toBeNull()
    await db.atomic().set(['users', 'alice'], alice).commit()
    expect((await db.repositories.users.get('alice')).value).toStrictEqual(alice)
  },

  'an operation commits once': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const operation = db.atomic().sum(['n'], 1n)
    await operation.commit()
    await expect(operation.commit()).rejects.toThrow(TypeError)
    expect((await db.get(['n'])).value).toStrictEqual(new KvU64(1n))
  },

  'an operation without mutations reports whether its checks hold': async (place) => {
    await using db = await Valkeyrie.open(place.path())
    const { versionstamp } = await db.set(['a'], 1)
    expect(
      await db
        .atomic()
        .check({ key: ['a'], versionstamp })
        .commit(),
    ).toMatchObject({ ok: true })
    expect(
      await db
        .atomic()
        .check({ key: ['a'], versionstamp: null })
        .commit(),
    ).toMatchObject({ ok: false })
    expect(await db.atomic().commit()).toMatchObject({ ok: true })
  },
}
