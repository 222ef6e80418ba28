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
 * How to open a database by its catalogue: the options of `open` that declare nothing. Unless `log` says how much of the log to
 * keep, nothing is removed from it; that is up to the programs that own the file.
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
