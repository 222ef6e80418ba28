import type { HeldValue, HeldValues } from '../../../commit/unique.ts'

/** What was found before, in whose place the plan may have put another hindrance since, and what is found now. */
export function mergedHolders(before: HeldValues, found: HeldValues): HeldValues {
  const all = new Map(before)
  for (const [stored, holders] of found) {
    const isNew = (one: HeldValue) => !holders.some(({ key }) => Buffer.compare(key, one.key) === 0)
    all.set(stored, [...holders, ...(before.get(stored) ?? []).filter(isNew)])
  }
  return all
}
