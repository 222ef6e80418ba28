/** How many characters of a text count: texts that differ only behind them are rare. */
const charactersThatCount = 64
/** How deep to look: a value may contain itself. */
const levelsThatCount = 6
const seed = 0x811c9dc5
const prime = 0x01000193

/** A number that is the same for values that `sameValue` finds the same: 32 bits, for looking them up. */
export function valueHash(value: unknown, levels = levelsThatCount): number {
  if (typeof value === 'string') return textHash(value)
  // 0 and -0 share one.
  if (typeof value !== 'object' || value === null) return textHash(`${typeof value} ${String(value)}`)
  if (levels === 0) return seed
  if (Array.isArray(value))
    return value.reduce((hash: number, item) => mixed(hash, valueHash(item, levels - 1)), seed)
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    return value instanceof Date ? textHash(String(value.getTime())) : seed
  // A sum: the names have no order.
  let hash = seed
  for (const [name, member] of Object.entries(value))
    hash = (hash + mixed(textHash(name), valueHash(member, levels - 1))) | 0
  return hash
}

function textHash(text: string): number {
  let hash = mixed(seed, text.length)
  for (let i = 0; i < Math.min(text.length, charactersThatCount); i++) hash = mixed(hash, text.charCodeAt(i))
  return hash
}

function mixed(hash: number, part: number): number {
  return Math.imul(hash ^ part, prime)
}
