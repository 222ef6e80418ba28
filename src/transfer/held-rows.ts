/** A row that is not stored since another row has what a unique index allows once; both by the texts of their keys. */
export interface HeldRow {
  readonly key: string
  readonly holder: string
}

/**
 * The order in which held rows may yet be stored. `groups`: rows that wait for each other in a circle, as two that swap their values, and
 * for these: each can be stored as a whole only. `chain`: the others, each behind the row that it waits for.
 */
export function holdersFirst<Row extends HeldRow>(
  rows: readonly Row[],
): { readonly groups: readonly Row[][]; readonly chain: readonly Row[] } {
  const left = new Map(rows.map((row) => [row.key, row]))
  const waiting = Map.groupBy(rows, ({ holder }) => holder)
  const chain = rows.filter(({ holder }) => !left.has(holder))
  // What is added meanwhile is walked through too.
  for (const { key } of chain) {
    left.delete(key)
    chain.push(...(waiting.get(key) ?? []))
  }
  const groups: Row[][] = []
  for (const first of left.values()) {
    left.delete(first.key)
    const group = [first]
    for (const { key, holder } of group) {
      for (const row of [left.get(holder), ...(waiting.get(key) ?? [])]) {
        if (row !== undefined && left.delete(row.key)) group.push(row)
      }
    }
    groups.push(group)
  }
  return { groups, chain }
}
