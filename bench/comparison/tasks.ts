import type { Load } from '../harness/task.ts'
import type { UserSize } from '../values/user.ts'

/** Tasks on an open store. */
export type StoreTask =
  | 'get'
  | 'getMany of 100'
  | 'list'
  | 'unit of work'
  | 'watch by 100'
  | 'set'
  | 'sets at once'
  | 'atomic of 500'

/** Tasks that open a file themselves. */
export type FileTask = 'open' | 'bulk load'

export type ComparisonTask = StoreTask | FileTask

/** How the tables name a task. */
export const taskLabels: Readonly<Record<ComparisonTask, string>> = {
  get: 'get',
  'getMany of 100': 'getMany of 100, per key',
  list: 'list, per row',
  'unit of work': 'unit of work: 2 reads, 2 writes',
  'watch by 100': 'watch: a write seen by 100',
  set: 'set',
  'sets at once': '1,000 sets at once, per set',
  'atomic of 500': 'atomic of 500 sets, per set',
  open: 'open an existing file, and get',
  'bulk load': 'bulk load, per row',
}

export const comparisonTasks = Object.keys(taskLabels) as readonly ComparisonTask[]

/** Those that tell what syncing each commit to the disk costs. */
export const writingTasks: readonly ComparisonTask[] = ['set', 'sets at once', 'atomic of 500']

/** Those that the size of the values hardly matters to. */
const smallTasks: readonly ComparisonTask[] = ['unit of work', 'watch by 100', 'open']

export const isTaskFor = ({ notes }: UserSize, task: ComparisonTask): boolean =>
  notes === 0 || !smallTasks.includes(task)

/**
 * In this order: what reads comes before what changes the rows that were stored. A turn of writes is long enough for
 * some checkpoints of the log: whether it had one or two would be all that it tells otherwise.
 */
export const storeLoads = ({ stored }: UserSize, rounds: number): Record<StoreTask, Load> => ({
  get: { n: 10_000, least: 200, rounds },
  'getMany of 100': { n: 10_000, least: 400, rounds },
  list: { n: stored, rounds },
  'unit of work': { n: 1_000, least: 200, rounds },
  'watch by 100': { n: 20, least: 2, rounds },
  set: { n: 2_000, least: 500, rounds },
  'sets at once': { n: 5_000, least: 1_000, rounds },
  'atomic of 500': { n: 5_000, least: 500, rounds },
})

export const fileLoads = ({ loaded }: UserSize, rounds: number): Record<FileTask, Load> => ({
  open: { n: 1, rounds },
  'bulk load': { n: loaded, least: loaded / 100, rounds: Math.ceil(rounds / 2), longer: 5 },
})
