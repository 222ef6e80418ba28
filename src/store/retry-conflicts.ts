import { longestTurn } from '../commit/turn.ts'
import type { CheckConflict } from '../commit/write.ts'
import { retried, waited } from '../trace/waiting.ts'
import { backOff } from './backoff.ts'
import { conflictError } from './conflict.ts'
import type { RowStore } from './row-store.ts'
import { running } from './running.ts'
import { Turn } from './turn.ts'

/** The outcome of an attempt. `lasted`: the milliseconds from `ready` to the failed commit. */
export type Attempted<T> =
  | { readonly result: T }
  | { readonly conflicts: readonly CheckConflict[]; readonly lasted: number }

interface Patience {
  /** The most attempts. */
  readonly attempts: number
  /** How many attempts may fail before the next one is made in a turn, while others wait. */
  readonly beforeTurn: number
}

/**
 * Makes attempts until one commits. Each awaits `ready` before it reads; after several conflicts, that is when its turn comes.
 * Whatever an attempt commits belongs to the turn. Rejects with ConflictError after the last attempt.
 */
export async function retryConflicts<T>(
  store: RowStore,
  { attempts, beforeTurn }: Patience,
  attempt: (ready: () => Promise<void> | undefined) => Promise<Attempted<T>>,
): Promise<T> {
  const outer = running.getStore()
  // Inside a unit of work that has the turn, other writes do not wait for another turn.
  const source = outer?.turn === undefined ? store.turnSource : undefined
  let turn: Turn | undefined
  let longestRun = 0
  const inTurn = (turn: Turn) => {
    const context = {
      writes: outer?.writes ?? false,
      turn: turn.id,
      isOpenOn: (store: RowStore) => outer?.isOpenOn(store) ?? false,
    }
    return running.run(context, () => attempt(() => waited(store.path, 'turn', turn.come(source?.signal))))
  }
  try {
    for (let made = 1; ; made++) {
      const attempted = await (turn === undefined ? attempt(atOnce) : inTurn(turn))
      if ('result' in attempted) return attempted.result
      if (made >= attempts) throw conflictError(attempted.conflicts, made)
      retried(store.path, made)
      longestRun = Math.max(longestRun, attempted.lasted)
      if (source !== undefined && made >= beforeTurn && attempted.lasted < longestTurn) {
        turn ??= new Turn(source, longestRun)
        continue
      }
      await turn?.end(false, source?.signal)
      turn = undefined
      await backOff(store.path, made, source?.signal)
    }
  } finally {
    await turn?.end(false, source?.signal)
  }
}

const atOnce = (): undefined => {}
