import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { decodeValue, encodeValue } from '../../../src/value/codec.ts'
import { KvU64 } from '../../../src/value/kv-u64.ts'

const spec = readFileSync(new URL('../../../docs/value-encoding.md', import.meta.url), 'utf8')
const rows = spec
  .slice(spec.indexOf('## Golden values'))
  .matchAll(/^\| `(?<source>.+)` \| (?<encoding>\d) \| `(?<value>.+?)` \| (?:`(?<types>.+)`)? *\|$/gm)
const golden = [...rows].map(
  ({ groups }) => groups as Record<'source' | 'encoding' | 'value' | 'types', string>,
)

it('finds the golden values of the spec', () => expect(golden.length).toBeGreaterThan(20))

it.each(golden)('$source', ({ source, encoding, value, types }) => {
  const original = new Function('KvU64', `return (${source})`)(KvU64)
  const stored = {
    value: value.startsWith('0x') ? new Uint8Array(Buffer.from(value.slice(2), 'hex')) : value,
    encoding: Number(encoding),
    types: types ?? null,
  }
  expect(encodeValue(original)).toStrictEqual(stored)
  expect(decodeValue(stored.value, stored.encoding, stored.types)).toStrictEqual(original)
})
