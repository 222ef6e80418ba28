import { describe, expect, test } from 'vitest'
import type { CommitFacts } from '../../../src/commit/facts.ts'
import { foreseen } from '../../../src/commit/foreseen.ts'
import type { LoggedChange } from '../../../src/commit/log-format.ts'
import { needsOf, planCommit } from '../../../src/commit/plan.ts'
import type { AtomicWrite, Mutation, SetMutation } from '../../../src/commit/write.ts'
import { UniqueConstraintError } from '../../../src/contract/errors.ts'
import { encodeKey } from '../../../src/key/codec.ts'

const now = 1_000
const key = (name: string) => encodeKey([name])
const set = (name: string, value = name, expiresAt?: number | null): SetMutation => ({
  type: 'set',
  key: key(name),
  collection: 'users',
  stored: { value: JSON.stringify(value), encoding: 0, types: null },
  ...(expiresAt === undefined ? {} : { expiresAt }),
})
const write = (...mutations: Mutation[]): AtomicWrite => ({ checks: [], mutations })
const nothing: CommitFacts = {
  latest: 7,
  now,
  turn: null,
  versions: [],
  rows: [],
  oldestLogged: 0,
  logged: [],
  expired: [],
  claimable: new Map(),
  unique: new Map(),
  holders: new Map(),
}
const plan = (writes: readonly AtomicWrite[], facts: Partial<CommitFacts> = {}) =>
  planCommit(writes, { ...nothing, ...facts }, false)
const typesOf = (changes: readonly LoggedChange[]) => changes.map(({ type }) => type)

describe('what has to be read', () => {
  test('is nothing for blind writes', () => {
    const blind = [write(set('a', 'x', null)), write(set('b', 'x', 5_000))]
    expect(needsOf(blind)).toEqual({ versions: [], rows: [], since: null, expiredAfter: null })
    const planned = plan(blind)
    expect(planned.holds).toEqual({
      isLatest: false,
      reads: { keys: [], ranges: [], validUntil: null, expiredAfter: null },
      turn: null,
      versions: [],
    })
    expect(planned).toMatchObject({ before: 7, latest: 9, endedTurn: null })
    expect(planned.log.map(({ version, at }) => [version, at])).toEqual([
      [8, now],
      [9, now],
    ])
  })

  test('is each key once, in order, with its whole row only if the value matters', () => {
    const needs = needsOf([
      {
        checks: [{ key: key('d'), version: null }],
        mutations: [
          { type: 'delete', key: key('c') },
          { type: 'touch', key: key('b'), expiresAt: null },
          { type: 'delete', key: key('b') },
          set('a'),
          { type: 'sum', key: key('d'), collection: null, operand: 1n },
        ],
        reads: {
          since: 3,
          at: 900,
          keys: [],
          ranges: [{ start: key('a'), end: key('z') }],
          validUntil: null,
        },
      },
      {
        ...write(set('e', 'x', null)),
        reads: { since: 2, at: 950, keys: [{ key: key('f'), version: 1 }], ranges: [], validUntil: null },
      },
    ])
    expect(needs).toEqual({
      versions: ['a', 'c', 'f'].map(key),
      rows: ['b', 'd'].map(key),
      since: 2,
      expiredAfter: 900,
    })
  })
})

describe('what writes say themselves', () => {
  const reads = (since: number, version: number | null) => ({
    since,
    at: 900,
    keys: [{ key: key('a'), version }],
    ranges: [],
    validUntil: 1_050,
  })
  const put = set('b', 'x', null)

  test('is enough if they depend only on what they have read at one version', () => {
    const versions = [{ key: key('a'), row: { version: 3, expiresAt: null } }]
    const writes = [
      { ...write(put, { type: 'delete', key: key('a') }), reads: reads(7, 3) },
      { ...write(put), reads: reads(7, 3) },
    ]
    expect(foreseen(writes)).toEqual({ versions, since: 7 })
    expect(foreseen([write(put)])).toEqual({ versions: [], since: null })
    const planned = plan(writes, { versions })
    expect(planned).toMatchObject({ before: 7, holds: { reads: { validUntil: 1_050, expiredAfter: null } } })
    // The second has not read what the first leaves.
    expect(planned.outcomes.map(({ type }) => type)).toEqual(['committed', 'conflict'])
  })

  test.each([
    [
      'they have read at several versions',
      [
        { ...write(put), reads: reads(7, 3) },
        { ...write(put), reads: reads(8, 3) },
      ],
    ],
    [
      'they contradict each other',
      [
        { ...write(put), reads: reads(7, 3) },
        { ...write(put), reads: reads(7, null) },
      ],
    ],
    ['a key is deleted that was not read', [write({ type: 'delete', key: key('a') })]],
    ['an expiry is kept', [{ ...write(set('a')), reads: reads(7, 3) }]],
    ['a value is worked out', [write({ type: 'sum', key: key('a'), collection: null, operand: 1n })]],
  ])('is not enough if %s', (_, writes) => {
    expect(foreseen(writes)).toBeNull()
  })
})

test('a plan holds as long as the rows have the versions that it has read', () => {
  const checked = { ...write(set('a', 'x', null)), checks: [{ key: key('a'), version: 3 }] }
  const versions = [{ key: key('a'), row: { version: 3, expiresAt: null } }]
  expect(plan([checked], { versions })).toMatchObject({
    outcomes: [{ type: 'committed', version: 8, touched: 0 }],
    holds: { isLatest: false, versions: [{ key: key('a'), version: 3 }] },
    rows: [{ type: 'put', key: key('a'), version: 8 }],
  })
  const other = [{ key: key('a'), row: { version: 4, expiresAt: null } }]
  expect(plan([checked], { versions: other })).toMatchObject({
    outcomes: [{ type: 'conflict', conflicts: [{ key: key('a'), expected: 3, actual: 4 }] }],
    holds: { versions: [{ key: key('a'), version: 4 }] },
    rows: [],
    log: [],
  })
})

test.each([6, 7])(
  'what was read at the version %i holds for as long as no later commit has changed it',
  (since) => {
    const ranges = [{ start: key('a'), end: key('b') }]
    const keys = [{ key: key('d'), version: null }]
    const reads = { since, at: 0, keys, ranges, validUntil: null }
    const versions = [{ key: key('d'), row: null }]
    const logged = [{ version: 7, at: 0, changes: [{ type: 'set', key: key('c') }] }] as const
    const planned = plan([{ ...write(set('z', 'x', null)), reads }], { oldestLogged: 1, logged, versions })
    expect(planned.outcomes).toMatchObject([{ type: 'committed' }])
    expect(planned.holds).toMatchObject({ isLatest: false, reads: { keys: [key('d')], ranges } })
  },
)

test('what a refused write has read is no condition: a row that has expired stays so', () => {
  const reads = {
    since: 7,
    at: 0,
    keys: [{ key: key('a'), version: 3 }],
    ranges: [{ start: key('a'), end: key('b') }],
    validUntil: now - 1,
  }
  const versions = [{ key: key('a'), row: { version: 3, expiresAt: now - 1 } }]
  const planned = plan([{ ...write(set('b', 'x', null)), reads }, write(set('c', 'x', null))], { versions })
  expect(planned.outcomes.map(({ type }) => type)).toEqual(['conflict', 'committed'])
  expect(planned.holds.reads).toEqual({ keys: [], ranges: [], validUntil: null, expiredAfter: null })
})

test('a check of a version that did not exist yet holds as long as there is no later commit', () => {
  const given = (version: number) => ({ ...write(set('b', 'x', null)), checks: [{ key: key('a'), version }] })
  const versions = [{ key: key('a'), row: { version: 7, expiresAt: null } }]
  expect(plan([given(7)], { versions }).holds.isLatest).toBe(false)
  // Others may have given it since, to the key that the first write is planned to change under the same version.
  expect(plan([write(set('a', 'x', null)), given(8)], { versions }).holds.isLatest).toBe(true)
})

test('later writes of a batch find what the earlier ones leave, each key changes once', () => {
  const planned = plan(
    [
      write(set('a', 'first', 2_000)),
      write({ type: 'touch', key: key('a'), expiresAt: 3_000 }),
      write(set('a', 'second')),
      write({ type: 'delete', key: key('b') }),
    ],
    {
      versions: [{ key: key('b'), row: null }],
      rows: [{ key: key('a'), row: null }],
    },
  )
  expect(planned.outcomes.map((it) => it.type === 'committed' && it.touched)).toEqual([0, 1, 0, 0])
  expect(planned.rows).toMatchObject([
    { type: 'put', key: key('a'), version: 10, expiresAt: 3_000, stored: { value: '"second"' } },
  ])
  expect(planned.log.map(({ changes }) => typesOf(changes))).toEqual([['set'], ['set'], ['set'], []])
})

describe('a row that was found to hold what a unique index allows once', () => {
  const unique = new Map([['users', [['email']]]])
  const wanted = set('b', 'same', null)
  const holderAt = (expiresAt: number | null) =>
    new Map([[wanted.stored, [{ key: key('a'), version: 2, expiresAt, fields: ['email'] }]]])

  test('fails the write that wants it, and no other', () => {
    const planned = plan([write(set('c', 'x', null), wanted), write(set('d', 'x', null))], {
      unique,
      holders: holderAt(null),
    })
    expect(planned.outcomes).toMatchObject([{ type: 'failed' }, { type: 'committed', version: 8 }])
    const [failed] = planned.outcomes
    expect(failed!.type === 'failed' && failed!.error).toBeInstanceOf(UniqueConstraintError)
    expect(planned.rows.map(({ key }) => key)).toEqual([key('d')])
    expect(planned.log).toHaveLength(1)
  })

  test('is removed if it has expired, and the log reports that', () => {
    const planned = plan([write(wanted)], { unique, holders: holderAt(now) })
    expect(planned.rows).toMatchObject([
      { type: 'remove', key: key('a') },
      { type: 'put', key: key('b') },
    ])
    expect(planned.log.map(({ changes }) => typesOf(changes))).toEqual([['expire', 'set']])
    // Others may store a value under its key before the plan is carried out.
    expect(planned.holds.versions).toEqual([{ key: key('a'), version: 2 }])
  })

  test('is not in the way if its row has changed since it was looked up', () => {
    const versions = [{ key: key('a'), row: { version: 3, expiresAt: null } }]
    const remove = { type: 'delete', key: key('a') } as const
    const planned = plan([write(wanted), write(remove)], { unique, versions, holders: holderAt(null) })
    expect(planned.outcomes).toMatchObject([{ type: 'committed' }, { type: 'committed' }])
    expect(planned.holds.versions).toEqual([{ key: key('a'), version: 3 }])
  })

  test('still has it if the plan only changes its expiry', () => {
    const row = { value: '"same"', encoding: 0, types: null, version: 2, expiresAt: null }
    const rows = [{ key: key('a'), row }]
    const touch = { type: 'touch', key: key('a'), expiresAt: 3_000 } as const
    const planned = plan([write(touch), write(wanted)], { unique, rows, holders: holderAt(null) })
    expect(planned.outcomes).toMatchObject([{ type: 'committed' }, { type: 'failed' }])
  })

  test('may be one of the same plan: the later of two writes fails', () => {
    const first = set('a', 'same', null)
    const [a, b] = [
      { key: key('a'), expiresAt: null, fields: ['email'], stored: first.stored },
      { key: key('b'), expiresAt: null, fields: ['email'], stored: wanted.stored },
    ]
    const holders = new Map([
      [wanted.stored, [a]],
      [first.stored, [b]],
    ])
    const forwards = plan([write(first), write(wanted)], { unique, holders })
    expect(forwards.outcomes).toMatchObject([{ type: 'committed' }, { type: 'failed' }])
    const backwards = plan([write(wanted), write(first)], { unique, holders })
    expect(backwards.outcomes).toMatchObject([{ type: 'committed' }, { type: 'failed' }])
    expect(plan([write(wanted, first)], { unique, holders }).outcomes).toMatchObject([{ type: 'failed' }])
  })

  test('is no violation if a later mutation of the write removes it', () => {
    const versions = [{ key: key('a'), row: { version: 2, expiresAt: null } }]
    const planned = plan([write(wanted, { type: 'delete', key: key('a') })], {
      unique,
      versions,
      holders: holderAt(null),
    })
    expect(planned.outcomes).toMatchObject([{ type: 'committed', touched: 1 }])
    expect(planned.rows).toMatchObject([
      { type: 'remove', key: key('a') },
      { type: 'put', key: key('b') },
    ])
  })
})

test("during somebody's turn, the writes of others wait", () => {
  const turn = { id: 'mine', until: 4_000, active: true }
  const reads = { since: 7, at: 0, keys: [], ranges: [], validUntil: null }
  const planned = plan(
    [
      write(set('a', 'x', null)),
      { ...write(set('b', 'x', null)), turn: 'mine', reads },
      write(set('c', 'x', null)),
    ],
    { turn },
  )
  expect(planned.outcomes.map(({ type }) => type)).toEqual(['waits', 'committed', 'committed'])
  expect(planned).toMatchObject({ endedTurn: 'mine', holds: { turn: 'mine' } })
})

test('a fact that was not read is an error, not a guess', () => {
  expect(() => plan([write({ type: 'delete', key: key('a') })])).toThrow('The version of the row under a key')
})
