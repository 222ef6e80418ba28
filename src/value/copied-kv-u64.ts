import { copyMark } from './copy-mark.ts'
import { KvU64 } from './kv-u64.ts'

/** The KvU64 of which a structured clone has made this plain object; null for anything else. */
export function copiedKvU64(x: unknown): KvU64 | null {
  if (typeof x !== 'object' || x === null || !Object.hasOwn(x, copyMark)) return null
  const { value, [copyMark]: marked } = x as { readonly value?: unknown; readonly [copyMark]?: unknown }
  return marked === true && typeof value === 'bigint' && value >= 0n && value < 2n ** 64n
    ? new KvU64(value)
    : null
}
