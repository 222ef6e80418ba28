/** A row that is not stored yet, because other rows have its unique values. Rows are named by the texts of their keys. */
export interface HeldRow {
  readonly key: string
  readonly holders: ReadonlySet<string>
}

interface Visit<Row> {
  readonly row: Row
  /** The rows that it waits for and that are not visited yet. */
  readonly left: Row[]
  readonly place: number
  /** The first place that it leads back to; infinite once its group is known. */
  leadsTo: number
}

/**
 * Held rows in an order in which they may be stored: each after those that it waits for. Rows that wait for each other in a circle,
 * such as two that swap their values, form a group, which can only be stored as a whole. Every other row is a group of its own.
 */
export function holdersFirst<Row extends HeldRow>(rows: readonly Row[]): Row[][] {
  // Tarjan's strongly connected components, without recursion: a chain may be as long as there are rows.
  const byKey = new Map(rows.map((row) => [row.key, row]))
  const visits = new Map<Row, Visit<Row>>()
  const open: Row[] = []
  const groups: Row[][] = []
  const visit = (row: Row): Visit<Row> => {
    const left = [...row.holders].flatMap((key) => byKey.get(key) ?? [])
    const begun = { row, left, place: open.length, leadsTo: open.length }
    visits.set(row, begun)
    open.push(row)
    return begun
  }
  for (const first of rows) {
    const path = visits.has(first) ? [] : [visit(first)]
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const next = at.left.pop()
      const seen = next && visits.get(next)
      if (seen !== undefined) at.leadsTo = Math.min(at.leadsTo, seen.leadsTo)
      else if (next !== undefined) path.push(visit(next))
      else {
        path.pop()
        const before = path.at(-1)
        if (before !== undefined) before.leadsTo = Math.min(before.leadsTo, at.leadsTo)
        if (at.leadsTo === at.place) {
          const group = open.splice(at.place)
          for (const row of group) visits.get(row)!.leadsTo = Number.POSITIVE_INFINITY
          groups.push(group)
        }
      }
    }
  }
  return groups
}
