import { KvU64 } from '../value/kv-u64.ts'
import { ValueFormat } from '../value/value-format.ts'
import type { ValueType } from '../value/value-type.ts'

/**
 * A row as it is sent: its tag, its JSON, and the text of its types where the JSON stands for more than itself, as a stored value has them.
 */
export type WireRow = readonly [tag: string, json: unknown, types?: string]

/** A KvU64 is stored only by itself: in an entry that is sent it is a value among others. */
const u64: ValueType<KvU64, string> = {
  name: 'KvU64',
  class: KvU64,
  encode: String,
  decode: (digits) => new KvU64(BigInt(digits)),
}

/** What is sent besides the kinds that every database stores. */
export function wireFormat(types: readonly ValueType[] = []): ValueFormat {
  return new ValueFormat([...types, u64])
}
