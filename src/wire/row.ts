import { KvU64 } from '../value/kv-u64.ts'
import { ValueFormat } from '../value/value-format.ts'
import type { ValueType } from '../value/value-type.ts'

/**
 * A row as it is sent: its tag, its JSON, and the text of its types, as a stored value has them, if the JSON stands for more than
 * itself.
 */
export type WireRow = readonly [tag: string, json: unknown, types?: string]

/** A KvU64 is always stored alone; in a sent entry it is one value among others. */
const u64: ValueType<KvU64, string> = {
  name: 'KvU64',
  class: KvU64,
  encode: String,
  decode: (digits) => new KvU64(BigInt(digits)),
}

/** What can be sent beyond the kinds that every database stores. */
export function wireFormat(types: readonly ValueType[] = []): ValueFormat {
  return new ValueFormat([...types, u64])
}
