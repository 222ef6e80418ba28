import { commitWrite, type Marks } from './commit-write.ts'
import type { CommitTransaction } from './transaction.ts'
import type { Ticket } from './turn.ts'
import { begin, isWithdrawn } from './withdrawal.ts'
import type { AtomicWrite, CommitOutcome } from './write.ts'

/** The state that a batch of writes starts from. */
export interface CommitState {
  /** The newest version. */
  readonly latest: number
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Whose turn it is; null if nobody's. */
  readonly turn: Ticket | null
}

/** The outcome of each write, and the newest version afterwards. */
export interface CommittedWrites {
  readonly outcomes: readonly CommitOutcome[]
  readonly latest: number
}

/**
 * Commits writes one after the other, each as its own version if it can be. During somebody's turn, the writes of others wait. Those
 * whose calls were aborted meanwhile are left out. Throws as `commitWrite` does; then the whole batch must be rolled back.
 */
export function commitWrites(
  writes: readonly AtomicWrite[],
  transaction: CommitTransaction,
  state: CommitState,
  marks: Marks,
): CommittedWrites {
  const { now } = state
  let { latest, turn } = state
  const outcomes: CommitOutcome[] = []
  for (const write of writes) {
    if (isWithdrawn(write)) {
      outcomes.push({ type: 'failed', error: write.withdrawal!.signal.reason })
      continue
    }
    if (turn !== null && write.turn !== turn.id) {
      outcomes.push({ type: 'waits', until: turn.until })
      continue
    }
    begin(write)
    const outcome = commitWrite(write, { transaction, version: latest + 1, now }, marks)
    if (outcome.type === 'committed') {
      latest = outcome.version
      // Writes outside the unit of work that has the turn do not end it.
      if (turn !== null && write.reads !== undefined) {
        transaction.endTurn(turn.id)
        turn = null
      }
    }
    outcomes.push(outcome)
  }
  return { outcomes, latest }
}
