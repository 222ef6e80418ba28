import { parseArgs } from 'node:util'
import { type ComparisonTask, comparisonTasks } from './comparison/tasks.ts'
import { fullPace, type Pace, quickPace } from './pace.ts'
import { type QueryTask, queryTasks } from './queries/tasks.ts'

/** What is measured together, beside the tasks of the comparison and the queries. */
export const suites = [
  'synced',
  'queries',
  'growth',
  'indexes',
  'watchers',
  'processes',
  'postgres',
  'memory',
  'starts',
  'claims',
  'jobs',
  'checksums',
  'tracing',
  'responsive',
] as const

export type Suite = (typeof suites)[number]

/** What a run is to measure. */
export interface Selection {
  readonly pace: Pace
  /** Whether that is everything, as thoroughly as possible: such a run is worth writing down. */
  readonly complete: boolean
  wants(task: ComparisonTask | QueryTask | Suite): boolean
}

/** `[--quick] [task…]`: no tasks are all of them. */
export function selectionOf(argv: readonly string[]): Selection {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { quick: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const names: readonly string[] = [...comparisonTasks, ...queryTasks, ...suites]
  const unknown = positionals.filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    const list = (some: readonly string[]) => some.map((name) => `'${name}'`).join(', ')
    throw new RangeError(`no task ${list(unknown)}: choose of ${list(names)}`)
  }
  const chosen = new Set(positionals)
  if (chosen.has('queries')) for (const task of queryTasks) chosen.add(task)
  return {
    pace: values.quick ? quickPace : fullPace,
    complete: chosen.size === 0 && !values.quick,
    wants: (task) => chosen.size === 0 || chosen.has(task),
  }
}
