import { checkOptionNames } from '../arguments/option-names.ts'
import type { Engine } from '../driver/engine.ts'
import type { EngineName, Engines } from '../engines/engines.ts'
import { type CheckedOpenOptions, checkOpenOptions, type OpenOptions } from './open-options.ts'

const names = [
  'engine',
  'readOnly',
  'durability',
  'schema',
  'connections',
  'busyTimeout',
  'connectTimeout',
  'snapshotTimeout',
  'validateReads',
  'limits',
  'log',
  'onUnindexed',
  'valueTypes',
  'errorStacks',
  'logger',
] as const

/**
 * How to open a database by its catalogue: those of `open` that do not declare anything. Where `log` does not say how much of the log is
 * kept, nothing is removed of it: the programs that the file belongs to do that.
 */
export interface InspectOptions extends Pick<OpenOptions, (typeof names)[number]> {}

/** Throws a TypeError or RangeError for an option that `inspect` does not take. */
export function checkInspectOptions<E extends EngineName>(
  options: InspectOptions,
  engine: Engine<Engines[E]>,
): CheckedOpenOptions & Engines[E]['checked'] {
  checkOptionNames(options, names, 'inspect')
  const checked = checkOpenOptions(options, engine)
  const { keepRows = Number.POSITIVE_INFINITY } = options.log ?? {}
  return { ...checked, retention: { ...checked.retention, keepRows } }
}
