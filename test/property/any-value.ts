import fc from 'fast-check'
import type { Key } from 'valkeyrie'
import { anyCharacter } from '../any-character.ts'

export const text = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.constantFrom('', '.', '\\', 'a.b', '\\.', '0', 'toString', '\ud800'),
)
export const key = fc.oneof(
  { weight: 20, arbitrary: text },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'prototype', 'stack', 'cause') },
)
export const regexp = fc
  .tuple(fc.constantFrom('a', '', '/', 'a\\/b', '[/]', '\\n', '\\\\', '(?<x>.)'), fc.subarray([...'dgimsuy']))
  .map(([source, flags]) => new RegExp(source, flags.join('')))
const leaf = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, NaN, Infinity, -Infinity),
  fc.date({ noInvalidDate: true }),
  regexp,
  fc.webUrl({ withQueryParameters: true, withFragments: true }).map((url) => new URL(url)),
  fc.uint8Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((array) => array.slice().buffer),
  fc.uint8Array().map((array) => new DataView(array.slice().buffer)),
)
const errorOf = (message: string, cause: unknown, facts: object, kind: number): Error => {
  const classes = [Error, TypeError, RangeError, SyntaxError]
  const options = cause === undefined ? undefined : { cause }
  const error =
    kind === classes.length
      ? new AggregateError([cause, facts], message)
      : new classes[kind]!(message, options)
  for (const [name, value] of Object.entries(facts))
    if (!['name', 'message', 'cause', 'stack', 'errors', '__proto__'].includes(name))
      Object.assign(error, { [name]: value })
  return error
}
/** Values of every type that can be stored, but a KvU64. */
export const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    fc
      .tuple(
        text,
        tie('value'),
        fc.dictionary(key, tie('value'), { maxKeys: 2, noNullPrototype: true }),
        fc.nat(4),
      )
      .map((parts) => errorOf(...parts)),
  ),
}))
/** The numbers that a KvU64 holds. */
export const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

/** Any key that a row can have: no part is the wildcard. */
export const anyKey: fc.Arbitrary<Key> = fc.array(
  fc.oneof(
    fc.string({ unit: 'grapheme' }).filter((text) => text !== '*'),
    fc.constantFrom('a\0b', '', '{"bigint":"1"}', '\u{10ffff}'),
    fc.double({ noNaN: true }),
    fc.bigInt(),
    fc.boolean(),
    fc.uint8Array({ maxLength: 9 }),
  ),
  { minLength: 1, maxLength: 4 },
)
