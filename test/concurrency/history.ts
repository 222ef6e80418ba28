/** What one step of a unit of work did and saw. Values are unique texts; a counter's value is the text of its number. */
export type Step =
  | { readonly type: 'get'; readonly key: string; readonly seen: string | null }
  | {
      readonly type: 'list'
      readonly start: string
      readonly end: string
      readonly limit: number
      readonly reverse: boolean
      readonly seen: readonly (readonly [key: string, value: string])[]
    }
  | { readonly type: 'count'; readonly start: string; readonly end: string; readonly seen: number }
  /** A query for the values that end with `suffix`. */
  | { readonly type: 'query'; readonly suffix: string; readonly seen: readonly string[] }
  | { readonly type: 'set'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'add'; readonly key: string; readonly n: number }

/** A unit of work that was committed. */
export interface CommittedUnit {
  readonly name: string
  readonly steps: readonly Step[]
  /** The versionstamp of its commit; `null` if it has written nothing. */
  readonly version: string | null
}

/**
 * Checks that the units have seen what they would have seen if they had run one at a time: writing units in the order of their
 * versions, each reading unit at some point between them. Returns what contradicts that, or an empty list.
 *
 * Keys of values begin with `i`, keys of counters with `c`; ranges and queries are over values.
 */
export function violationsOf(units: readonly CommittedUnit[]): string[] {
  const violations: string[] = []
  const writers = units.filter((unit) => unit.version !== null).sort(byVersion)
  const readers = new Set(units.filter((unit) => unit.version === null))
  const state: State = new Map()
  const place = () => {
    for (const reader of readers) if (mismatchOf(reader, state) === null) readers.delete(reader)
  }
  let last = ''
  for (const [index, writer] of writers.entries()) {
    if (index % placesBetweenLooks === 0) place()
    if (writer.version === last) violations.push(`${writer.name}: its version ${last} is another's too`)
    last = writer.version!
    const mismatch = mismatchOf(writer, state)
    if (mismatch !== null) violations.push(`${writer.name} at ${last}: ${mismatch}`)
    for (const step of writer.steps) apply(step, state)
  }
  place()
  return [...violations, ...unplaced(readers, writers)]
}

type State = Map<string, string>

/** Most readers fit at many points: a look at some of them spares the look at all. */
const placesBetweenLooks = 64

function unplaced(readers: Set<CommittedUnit>, writers: readonly CommittedUnit[]): string[] {
  if (readers.size === 0) return []
  const state: State = new Map()
  for (const writer of writers) {
    for (const step of writer.steps) apply(step, state)
    for (const reader of readers) if (mismatchOf(reader, state) === null) readers.delete(reader)
  }
  return [...readers].map(
    ({ name, steps }) => `${name} saw no state there has been: ${JSON.stringify(steps)}`,
  )
}

/** What the unit has seen that it would not have seen if it had run on this state; null if there is nothing. */
function mismatchOf(unit: CommittedUnit, before: State): string | null {
  const state: State = unit.steps.some(isWrite) ? new Map(before) : before
  for (const step of unit.steps) {
    if (isWrite(step)) {
      apply(step, state)
      continue
    }
    const expected = look(step, state)
    if (JSON.stringify(expected) !== JSON.stringify(step.seen)) {
      return `${JSON.stringify(step)} where there was ${JSON.stringify(expected)}`
    }
  }
  return null
}

type Write = Extract<Step, { readonly type: 'set' | 'delete' | 'add' }>

function isWrite(step: Step): step is Write {
  return step.type === 'set' || step.type === 'delete' || step.type === 'add'
}

function apply(step: Step, state: State): void {
  if (step.type === 'set') state.set(step.key, step.value)
  else if (step.type === 'delete') state.delete(step.key)
  else if (step.type === 'add') state.set(step.key, String(Number(state.get(step.key) ?? 0) + step.n))
}

function look(step: Exclude<Step, Write>, state: State): unknown {
  switch (step.type) {
    case 'get':
      return state.get(step.key) ?? null
    case 'list': {
      const found = between(state, step.start, step.end)
      return (step.reverse ? found.reverse() : found).slice(0, step.limit)
    }
    case 'count':
      return between(state, step.start, step.end).length
    case 'query':
      return between(state, 'i', 'j')
        .filter(([, value]) => value.endsWith(step.suffix))
        .map(([key]) => key)
  }
}

function between(state: State, start: string, end: string): [string, string][] {
  return [...state].filter(([key]) => key >= start && key < end).sort(([a], [b]) => (a < b ? -1 : 1))
}

function byVersion(a: CommittedUnit, b: CommittedUnit): number {
  return a.version! < b.version! ? -1 : 1
}
