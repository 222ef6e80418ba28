import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { checkWholeNumber } from '../arguments/option-values.ts'
import { longestTurn } from '../commit/turn.ts'
import type { AtomicWrite, CheckConflict } from '../commit/write.ts'
import type { Definitions } from '../schema/registry.types.ts'
import { backOff } from '../store/backoff.ts'
import { conflictError } from '../store/conflict.ts'
import type { SettledOutcome } from '../store/row-store.ts'
import { running } from '../store/running.ts'
import type { Store } from '../store/store.ts'
import { Turn } from '../store/turn.ts'
import { clock } from '../time/clock.ts'
import { untilAborted } from '../time/until-aborted.ts'
import { retried, waited } from '../trace/waiting.ts'
import { UnitOfWork } from './unit-of-work.ts'
import { UnitStore } from './unit-store.ts'

/** How often and for how long to retry a unit of work after conflicts. */
export interface UnitOfWorkOptions {
  /**
   * How many times to run the function again after conflicts, or after losing the server that it read from. Default 100. A
   * function that takes 5 s or longer gets no turn, and a turn that it exceeds is its last run.
   */
  readonly retries?: number | undefined
  /**
   * When to stop starting further runs: milliseconds from the call, or a point in time, as far from the call as the clock says
   * then. Default: never.
   */
  readonly deadline?: number | Date | undefined
  /** Aborting it rejects the call with its reason, and nothing is written unless the commit has begun. */
  readonly signal?: AbortSignal | undefined
}

type Outcome<T> =
  | { readonly done: true; readonly result: T; readonly committed: boolean }
  /** `lasted`: the time from its start to its commit in milliseconds, without waiting for others. */
  | { readonly done: false; readonly conflicts: readonly CheckConflict[]; readonly lasted: number }
  | Lost

/** The run has failed because it lost the snapshot that it read. */
interface Lost {
  readonly done: false
  readonly lost: unknown
}

const defaultRetries = 100
/** After this many runs that others made fail, the next run has a turn, while they wait. */
const runsBeforeTurn = 2
/** How many runs may lose their snapshot: a query that crashes its server must not crash it a hundred times. */
const mostLosses = 10

/** Runs a unit of work until it commits. */
export async function runUnitOfWork<R extends Definitions, T>(
  store: Store,
  work: (unit: UnitOfWork<R>) => T | Promise<T>,
  options: UnitOfWorkOptions,
): Promise<T> {
  const { retries, deadline, signal } = checkUnitOptions(work, options)
  const outer = running.getStore()
  if (outer?.writes && outer.isOpenOn(store)) {
    throw new TypeError('Units of work do not nest: use the unit of the outer function')
  }
  // Inside a call that has the turn, such as the function of an update, waiting in the line for another turn would never end.
  const isInTurn = outer?.turn !== undefined
  let turn: Turn | undefined
  let longestRun = 0
  let losses = 0
  let committed = false
  /** Waits until the next run may begin: for a moment or, after several conflicts, for its turn. */
  const waitAfter = async (attempt: number, lasted: number): Promise<void> => {
    longestRun = Math.max(longestRun, lasted)
    if (outlastsTurns(lasted)) {
      await turn?.end(false, signal)
      turn = undefined
    }
    if (attempt < runsBeforeTurn || outlastsTurns(lasted) || isInTurn)
      return backOff(store.path, attempt, signal)
    turn ??= new Turn(store, longestRun)
    await waited(store.path, 'turn', turn.come(signal))
  }
  try {
    for (let attempt = 1; ; attempt++) {
      const outcome = await runOnce(store, work, signal, turn?.id)
      if (outcome.done) {
        committed = outcome.committed
        return outcome.result
      }
      const isLast = attempt > retries || clock() >= deadline
      if ('lost' in outcome) {
        losses += 1
        if (isLast || losses > mostLosses) throw outcome.lost
        await backOff(store.path, attempt, signal)
      } else {
        const { conflicts, lasted } = outcome
        if (isLast || (outlastsTurns(lasted) && turn?.isLongest)) throw conflictError(conflicts, attempt)
        await waitAfter(attempt, lasted)
        if (clock() >= deadline) throw conflictError(conflicts, attempt)
      }
      retried(store.path, attempt)
    }
  } finally {
    await turn?.end(committed, signal)
  }
}

/** Whether a run takes longer than a turn can last: it would be overtaken in it, too, and would delay others for nothing. */
function outlastsTurns(lasted: number): boolean {
  return lasted >= longestTurn
}

async function runOnce<R extends Definitions, T>(
  store: Store,
  work: (unit: UnitOfWork<R>) => T | Promise<T>,
  signal: AbortSignal | undefined,
  turn: string | undefined,
): Promise<Outcome<T>> {
  signal?.throwIfAborted()
  store.assertOpen()
  const started = clock()
  const unit = new UnitStore(store, turn)
  try {
    const finished = await finish(unit, work, signal)
    if ('lost' in finished) return finished
    const { result, write } = finished
    if (write.mutations.length === 0) return { done: true, result, committed: false }
    const lasted = clock() - started
    const outcome = await commitUnlessAborted(store, write, signal)
    return outcome.type === 'committed'
      ? { done: true, result, committed: true }
      : { done: false, conflicts: outcome.conflicts, lasted }
  } finally {
    unit.end()
  }
}

/** Commits the write. Rejects with the signal's reason if it is aborted before the write has begun: then nothing is written. */
async function commitUnlessAborted(
  store: Store,
  write: AtomicWrite,
  signal: AbortSignal | undefined,
): Promise<SettledOutcome> {
  if (signal === undefined) return store.commit(write)
  const withdrawal = { signal, hasBegun: false }
  const committing = store.commit({ ...write, withdrawal })
  try {
    return await untilAborted(committing, signal)
  } catch (error) {
    if (withdrawal.hasBegun) return committing
    throw error
  }
}

/** Runs the function. Returns its result, and what to commit. */
async function finish<R extends Definitions, T>(
  unit: UnitStore,
  work: (unit: UnitOfWork<R>) => T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<{ readonly result: T; readonly write: AtomicWrite } | Lost> {
  const face = new UnitOfWork<R>(unit)
  try {
    const result = await untilAborted(
      running.run(unit, async () => {
        try {
          const result = await work(face)
          unit.calls.assertEnded()
          return result
        } finally {
          // Before anything else is awaited, so that no abandoned call slips in.
          unit.close()
        }
      }),
      signal,
    )
    return { result, write: await unit.finish() }
  } catch (error) {
    if (!unit.isLost) throw error
    return { done: false, lost: error }
  }
}

function checkUnitOptions(work: unknown, options: UnitOfWorkOptions) {
  if (typeof work !== 'function') throw new TypeError('unitOfWork takes a function of the unit')
  checkOptionNames(options, ['retries', 'deadline', 'signal'], 'unitOfWork')
  const { retries = defaultRetries, deadline, signal } = options
  checkWholeNumber(retries, 'retries', 0)
  checkSignal(options, 'unitOfWork')
  return { retries, deadline: timeOf(deadline), signal }
}

/** By the monotonic clock of the process. */
function timeOf(deadline: unknown): number {
  if (deadline === undefined) return Number.POSITIVE_INFINITY
  const time =
    deadline instanceof Date
      ? deadline.getTime() - Date.now()
      : typeof deadline === 'number'
        ? deadline
        : Number.NaN
  if (Number.isNaN(time)) throw new TypeError('deadline must be a number of milliseconds from now, or a Date')
  return clock() + time
}
