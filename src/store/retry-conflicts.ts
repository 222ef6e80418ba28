import { longestTurn } from '../commit/turn.ts'
import type { CheckConflict } from '../commit/write.ts'
import { ConflictError } from '../contract/errors.ts'
import { retried, waited } from '../trace/waiting.ts'
import { toConflict } from './atomic-operation.ts'
import { backOff } from './backoff.ts'
import type { RowStore } from './row-store.ts'
import { running } from './running.ts'
import { Turn } from './turn.ts'

/** What an attempt has come to. `lasted`: the milliseconds from `ready` to the commit that others have made fail. */
export type Attempted<T> =
  | { readonly result: T }
  | { readonly conflicts: readonly CheckConflict[]; readonly lasted: number }

interface Patience {
  /** Attempts at most. */
  readonly attempts: number
  /** Attempts that fail before the next one is made in a turn, in which the others wait. */
  readonly beforeTurn: number
}

/**
 * Makes attempts until one commits. Each awaits `ready` before it reads: where others have overtaken it several times, its turn has come
 * then. What runs in an attempt commits in the turn, too. Rejects with ConflictError after the last one.
 */
export async function retryConflicts<T>(
  store: RowStore,
  { attempts, beforeTurn }: Patience,
  attempt: (ready: () => Promise<void> | undefined) => Promise<Attempted<T>>,
): Promise<T> {
  const outer = running.getStore()
  // What is written beside a unit of work that is in its turn does not wait for another one.
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
      if (made >= attempts) throw new ConflictError(attempted.conflicts.map(toConflict), made)
      retried(store.path, made)
      longestRun = Math.max(longestRun, attempted.lasted)
      if (source !== undefined && made >= beforeTurn && attempted.lasted < longestTurn) {
        turn ??= new Turn(source, longestRun)
        continue
      }
      await turn?.end(false)
      turn = undefined
      await backOff(store.path, made, source?.signal)
    }
  } finally {
    await turn?.end(false)
  }
}

const atOnce = (): undefined => {}
