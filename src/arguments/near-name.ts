/** Longer names were not typed by hand. */
const longest = 40

/**
 * The one of these names that was most likely meant by another one: the same but for its case, or off by a slip or two of the hand;
 * undefined if none is near.
 *
 * @example
 * nearName('nmae', ['name', 'age'])   // 'name'
 */
export function nearName(name: string, names: readonly string[]): string | undefined {
  const lower = name.toLowerCase()
  const same = names.find((candidate) => candidate.toLowerCase() === lower)
  if (same !== undefined || name.length > longest) return same
  let nearest: string | undefined
  let least = name.length < 3 ? 0 : name.length < 6 ? 1.5 : 2.5
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) > least || candidate.length < 3) continue
    const distance = slips(lower, candidate.toLowerCase())
    if (distance >= least) continue
    nearest = candidate
    least = distance
  }
  return nearest
}

/** How many letters are missing, extra, wrong, or swapped with a neighbour. */
function slips(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    before = last
    last = row
  }
  return last[b.length]!
}
