/** A property that a structured clone keeps, which tells a copy of a KvU64 from any other object with a value. */
export const copyMark = 'valkeyrie.KvU64'
