import { checkOptionNames } from '../arguments/option-names.ts'
import { checkWholeNumber } from '../arguments/option-values.ts'
import { longestTimer } from '../time/longest-timer.ts'
import { checkValueTypes, type ValueType } from '../value/value-type.ts'
import { warn } from './warn.ts'

/** How long a failed job waits before its next attempt. */
export interface Backoff {
  /** Whether the wait is the same each time, or doubles with each failure. */
  readonly type: 'fixed' | 'exponential'
  /** Milliseconds after the first failure. */
  readonly delay: number
  /** The most milliseconds. Default: an hour. */
  readonly longest?: number | undefined
  /**
   * The part of each wait, 0 to 1, that is randomly shortened, so that jobs that fail together do not come back together. Default
   * 0.5 if it is exponential, 0 if it is fixed.
   */
  readonly jitter?: number | undefined
}

/** The rules for the jobs of a queue. Pass the same in every process that works on it. */
export interface QueueOptions {
  /** How many more attempts to make if the first one fails. Default 3. */
  readonly retries?: number | undefined
  /**
   * How long to wait before each of them, or a function of the number of failed attempts and the last error that returns
   * milliseconds. Default `{ type: 'exponential', delay: 1000, longest: 3600000, jitter: 0.5 }`.
   */
  readonly backoff?: Backoff | ((failures: number, error: unknown) => number) | undefined
  /**
   * How many milliseconds a worker owns a job. It renews the lease while its handler runs; the job of a dead process is free
   * after this time. Code that blocks the event loop for longer loses its jobs to other processes. Default 30,000, at least 100.
   */
  readonly lease?: number | undefined
  /** The most milliseconds of one attempt: after that its signal is aborted, and it has failed. Default: no limit. */
  readonly timeout?: number | undefined
  /**
   * Whether to keep a job whose last attempt has failed, with the reason, for `redrive`: always, or for some milliseconds.
   * Default `true`.
   */
  readonly deadLetters?: boolean | { readonly keep: number } | undefined
  /** How many jobs a worker runs at once, unless it says so itself. Default 1. */
  readonly concurrency?: number | undefined
  /** How to store instances of classes in its payloads, as in the options of `defineSchema`. */
  readonly valueTypes?: readonly ValueType[] | undefined
}

/** The options of a queue, with their defaults filled in. */
export interface Terms {
  readonly retries: number
  readonly backoff: (failures: number, error: unknown) => number
  readonly lease: number
  readonly timeout: number | undefined
  readonly keepsDead: boolean
  readonly keepDead: number | undefined
  readonly concurrency: number
}

const optionNames = ['retries', 'backoff', 'lease', 'timeout', 'deadLetters', 'concurrency', 'valueTypes']
const hour = 3_600_000

/** Throws a TypeError or RangeError for an unknown or invalid option. */
export function termsOf(options: QueueOptions): Terms {
  checkOptionNames(options, optionNames, 'queue')
  const {
    retries = 3,
    lease = 30_000,
    timeout,
    deadLetters = true,
    concurrency = 1,
    valueTypes = [],
  } = options
  checkWholeNumber(retries, 'retries', 0)
  checkWholeNumber(concurrency, 'concurrency', 1)
  checkMilliseconds(lease, 'lease', 100, longestTimer)
  if (timeout !== undefined) checkMilliseconds(timeout, 'timeout', 1, longestTimer)
  checkValueTypes(valueTypes, 'a queue')
  if (typeof deadLetters !== 'boolean') {
    checkOptionNames(deadLetters, ['keep'], 'deadLetters')
    checkMilliseconds(deadLetters.keep, 'keep of deadLetters', 1)
  }
  return Object.freeze({
    retries,
    backoff: backoffOf(options.backoff ?? { type: 'exponential', delay: 1_000 }),
    lease,
    timeout,
    keepsDead: deadLetters !== false,
    keepDead: typeof deadLetters === 'object' ? deadLetters.keep : undefined,
    concurrency,
  })
}

function backoffOf(backoff: NonNullable<QueueOptions['backoff']>): Terms['backoff'] {
  if (typeof backoff === 'function') return (failures, error) => waitBy(backoff, failures, error)
  checkOptionNames(backoff, ['type', 'delay', 'longest', 'jitter'], 'backoff')
  const { type, delay, longest = hour } = backoff
  if (type !== 'fixed' && type !== 'exponential')
    throw new TypeError(`The type of backoff must be 'fixed' or 'exponential' (got ${String(type)})`)
  const { jitter = type === 'fixed' ? 0 : 0.5 } = backoff
  checkMilliseconds(delay, 'delay of backoff', 0)
  checkMilliseconds(longest, 'longest of backoff', 0)
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw new RangeError(`jitter of backoff must be a number from 0 to 1 (got ${String(jitter)})`)
  return (failures) => {
    const bound = type === 'fixed' ? delay : delay * 2 ** Math.min(failures - 1, 60)
    return Math.min(bound, longest) * (1 - jitter * Math.random())
  }
}

/** If the user's function returns no valid wait, the job still must not stay with its worker. */
function waitBy(backoff: Terms['backoff'], failures: number, error: unknown): number {
  try {
    const wait = backoff(failures, error)
    checkMilliseconds(wait, 'What backoff gives', 0)
    return wait
  } catch (fault) {
    warn(fault)
    return hour
  }
}

/** Throws a TypeError if this is not a number, and a RangeError if it is out of bounds. */
export function checkMilliseconds(
  value: unknown,
  what: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number of milliseconds`)
  if (!(value >= least)) throw new RangeError(`${what} must be at least ${least} ms (got ${value})`)
  if (value > most) throw new RangeError(`${what} must be at most ${most} ms (got ${value})`)
}
