import fc from 'fast-check'
import { pack, type TupleItem } from 'fdb-tuple'
import { expect, test } from 'vitest'
import type { KeyPart } from '../../src/contract/key.types.ts'
import { encodeKey } from '../../src/key/codec.ts'
import { anyCharacter } from '../any-character.ts'

/** The part as the FoundationDB binding for JavaScript writes it: there a number may be an integer. */
function toTupleItem(part: KeyPart): TupleItem {
  if (typeof part === 'number') return { type: 'double', value: part }
  return part instanceof Uint8Array ? Buffer.from(part) : part
}

const wideBigInt = fc.bigInt({ min: -(2n ** 600n), max: 2n ** 600n })
const edges = fc
  .tuple(fc.integer({ min: 0, max: 130 }), fc.constantFrom(-1n, 0n, 1n), fc.constantFrom(-1n, 1n))
  .map(([bits, offset, sign]) => sign * (2n ** BigInt(bits) + offset))

const part: fc.Arbitrary<KeyPart> = fc.oneof(
  fc.string({ unit: anyCharacter }).filter((text) => text !== '*' && text.isWellFormed()),
  fc.constantFrom('\0', 'foo\0bar', '\u{ffff}', '😀'),
  wideBigInt,
  edges,
  fc.double({ noNaN: true }).map((number) => number + 0),
  fc.boolean(),
  fc.uint8Array(),
)

test("a key's bytes are those of FoundationDB's tuple layer", () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (key) => {
      const expected = pack(key.map(toTupleItem)) as Buffer
      expect(Buffer.from(encodeKey(key)).toString('hex')).toBe(expected.toString('hex'))
    }),
    { numRuns: 2_000 },
  )
})
