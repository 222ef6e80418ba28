import type { Collection } from '../catalog/catalog.ts'
import type { Difference } from '../catalog/differences.ts'
import { decodeKey } from '../key/codec.ts'
import { PatternIndex } from '../key/pattern-index.ts'
import type { Read } from './driver.ts'
import { collectionOfRead } from './read-collection.ts'

/** Throws the MigrationError of a read that would not find what it means, or of keys whose values it would misread. */
export function assertReadFits(
  read: Read,
  declared: readonly Collection[],
  differences: ReadonlyMap<string, Difference>,
): void {
  const name = collectionOfRead(read)
  if (name !== null) {
    const difference = differences.get(name)
    if (difference?.reads) throw difference.error
    return
  }
  const patterns = new PatternIndex(declared.map((it) => [it.pattern, it.name]))
  for (const key of keysOf(read)) {
    const difference = differences.get(patterns.find(decodeKey(key)) ?? '')
    if (difference?.misreads) throw difference.error
  }
}

function keysOf(read: Read): readonly Uint8Array[] {
  switch (read.type) {
    case 'get':
    case 'exists':
      return [read.key]
    case 'getMany':
      return read.keys
    default:
      return []
  }
}
