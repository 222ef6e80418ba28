import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ChangeLog, type LoggedChange, readChanges } from '../../../src/commit/log-format.ts'
import type { Key } from '../../../src/contract/key.types.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { encodeValue } from '../../../src/value/codec.ts'
import { KvU64 } from '../../../src/value/kv-u64.ts'
import { anyCharacter } from '../../any-character.ts'

const spec = readFileSync(new URL('../../../docs/storage-layout.md', import.meta.url), 'utf8')
const golden = [
  ...spec
    .slice(spec.indexOf('### Golden changes'))
    .matchAll(/^\| `(?<source>\[.*\])` \| `0x(?<bytes>[0-9a-f]*)` \|$/gm),
].map(({ groups }) => groups as Record<'source' | 'bytes', string>)

it('finds the golden changes of the spec', () => expect(golden.length).toBeGreaterThan(8))

it.each(golden)('$source', ({ source, bytes }) => {
  const listed = new Function('KvU64', `return ${source}`)(KvU64) as [LoggedChange['type'], Key, unknown?][]
  const changes = listed.map(([type, key, value]) => {
    const stored = value === undefined ? {} : { stored: encodeValue(value) }
    return { type, key: encodeKey(key, 2_048), ...stored }
  })
  const written = bytesOf(changes)
  expect(written.toString('hex')).toBe(bytes)
  expect(plain(readChanges(written)!)).toEqual(plain(changes))
})

const bytes = fc.uint8Array({ maxLength: 300 })
const stored = fc.oneof(
  fc.record({
    value: fc.string({ unit: anyCharacter }),
    encoding: fc.constant(0 as const),
    types: fc.constant(null),
  }),
  fc.record({ value: fc.string(), encoding: fc.constant(1 as const), types: fc.string({ minLength: 1 }) }),
  fc.record({ value: bytes, encoding: fc.constantFrom(2 as const, 3 as const), types: fc.constant(null) }),
)
const change: fc.Arbitrary<LoggedChange> = fc.oneof(
  fc.record({ type: fc.constantFrom('set', 'delete', 'expire'), key: bytes }),
  fc.record({ type: fc.constant('set'), key: bytes, stored }),
)

describe('the changes of a commit', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        expect(plain(readChanges(bytesOf(changes))!)).toEqual(plain(changes))
      }),
    )
  })

  test('are written without values if the log keeps none', () => {
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const keys = changes.map(({ type, key }) => ({ type, key }))
        expect(bytesOf(changes, false)).toEqual(bytesOf(keys))
      }),
    )
  })

  test('read from any bytes are written back as those bytes, or refused', () => {
    const some = fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => bytesOf(changes))
    const cut = fc.tuple(some, fc.nat()).map(([whole, at]) => whole.subarray(0, at % whole.length))
    const flipped = fc.tuple(some, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([whole, at, mask]) => {
      const copy = Buffer.from(whole)
      copy[at % copy.length]! ^= mask
      return copy
    })
    fc.assert(
      fc.property(fc.oneof(bytes, cut, flipped), (any) => {
        const changes = readChanges(any)
        if (changes === null) return
        expect(plain(readChanges(bytesOf(changes))!)).toEqual(plain(changes))
        for (const { key } of changes) expect(key.length).toBeLessThanOrEqual(any.length)
      }),
    )
  })

  test.each([null, 7, 'nonsense', undefined])('are unreadable if the row has %s', (any) => {
    expect(readChanges(any)).toBeNull()
  })

  test('of one commit are not those of the one before', () => {
    const log = new ChangeLog(false)
    log.add('set', Buffer.from('a'))
    log.reset()
    log.add('delete', Buffer.from('b'))
    expect(readChanges(log.take())).toMatchObject([{ type: 'delete' }])
    expect(log.take()).toHaveLength(0)
  })
})

function bytesOf(changes: readonly LoggedChange[], withValues = true): Buffer {
  const log = new ChangeLog(withValues)
  for (const { type, key, stored } of changes) log.add(type, key, stored)
  return Buffer.from(log.take())
}

/** Bytes of whatever class as text. */
function plain(changes: readonly LoggedChange[]) {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  return changes.map(({ type, key, stored }) => ({
    type,
    key: hex(key),
    ...(stored && {
      stored: { ...stored, value: typeof stored.value === 'string' ? stored.value : hex(stored.value) },
    }),
  }))
}
