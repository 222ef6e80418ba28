export type Move = readonly [from: string, to: string]

/**
 * Orders moves so that none takes a place before its present owner has left it. A ring of moves goes through `spare`.
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
