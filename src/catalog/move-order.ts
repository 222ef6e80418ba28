export type Move = readonly [from: string, to: string]

/**
 * Puts moves into an order in which none takes a place that another has yet to leave. A ring of them has to go by `spare`.
 *
 * ```ts
 * moveOrder([['a', 'b'], ['b', 'a']], '~') // [['a', '~'], ['b', 'a'], ['~', 'b']]
 * ```
 */
export function moveOrder(moves: readonly Move[], spare: string): Move[] {
  const ordered: Move[] = []
  const waiting = new Map(moves)
  while (waiting.size > 0) {
    const [from, to] = [...waiting].find(([, target]) => !waiting.has(target)) ?? [...waiting][0]!
    waiting.delete(from)
    if (waiting.has(to)) {
      ordered.push([from, spare])
      waiting.set(spare, to)
    } else {
      ordered.push([from, to])
    }
  }
  return ordered
}
