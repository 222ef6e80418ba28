import type { HeldValue, HeldValues } from '../../../commit/unique.ts'

/** The rows in the way now, and those from before, since the plan may only have moved the violation to another row. */
export function mergedHolders(before: HeldValues, found: HeldValues): HeldValues {
  const all = new Map(before)
  for (const [stored, holders] of found) {
    const isNew = (one: HeldValue) => !holders.some(({ key }) => Buffer.compare(key, one.key) === 0)
    all.set(stored, [...holders, ...(before.get(stored) ?? []).filter(isNew)])
  }
  return all
}
