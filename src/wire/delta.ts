/** Part of a result: so many rows of the result before, from this one on. */
export type Run = readonly [from: number, count: number]

/**
 * How a result comes of the one before: runs of its rows, and the places in the new one of rows that it had not. A row is told by its tag,
 * which two rows share only where they are equal.
 *
 * @example
 * deltaOf(['a', 'b', 'c'], ['c', 'a', 'b', 'd'])   // [[2, 1], [0, 2], 3]
 */
export function deltaOf(before: readonly string[], after: readonly string[]): (Run | number)[] {
  const places = new Map<string, number>()
  for (let i = before.length - 1; i >= 0; i--) places.set(before[i]!, i)
  const steps: (Run | number)[] = []
  let from = 0
  let count = 0
  const endRun = () => {
    if (count > 0) steps.push([from, count])
    count = 0
  }
  for (const [i, tag] of after.entries()) {
    if (count > 0 && before[from + count] === tag) {
      count++
      continue
    }
    endRun()
    const place = places.get(tag)
    if (place === undefined) {
      steps.push(i)
    } else {
      from = place
      count = 1
    }
  }
  endRun()
  return steps
}

/**
 * The result that steps make of the one before, with what `read` makes of each row that it had not. Throws a RangeError for a run that is
 * not in it.
 *
 * @example
 * applyDelta(['a', 'b', 'c'], [[2, 1], [0, 2], { row: 'd' }], ({ row }) => row)   // ['c', 'a', 'b', 'd']
 */
export function applyDelta<Row, New>(
  before: readonly Row[],
  steps: readonly (Run | New)[],
  isRun: (step: Run | New) => step is Run,
  read: (row: New) => Row,
): Row[] {
  const after: Row[] = []
  for (const step of steps) {
    if (!isRun(step)) {
      after.push(read(step))
      continue
    }
    const [from, count] = step
    if (!isPlace(from) || !isPlace(count) || from + count > before.length)
      throw new RangeError('A delta names rows that the previous result did not have')
    for (let i = from; i < from + count; i++) after.push(before[i]!)
  }
  return after
}

function isPlace(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
