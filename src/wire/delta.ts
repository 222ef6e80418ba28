/** A run of rows of the previous result: how many, from which on. */
export type Run = readonly [from: number, count: number]

/**
 * How to build a result from the previous one: runs of its rows, and the places of new rows in the new result. Rows are compared by
 * their tags, which are the same only for equal rows.
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
 * The result that these steps build from the previous one; `read` makes the new rows. Throws a RangeError if a run is not in the
 * previous result.
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
