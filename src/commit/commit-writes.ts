import { commitWrite } from './commit-write.ts'
import type { CommitTransaction } from './transaction.ts'
import type { Ticket } from './turn.ts'
import type { AtomicWrite, CommitOutcome } from './write.ts'

/** What a batch of writes finds. */
export interface CommitState {
  /** The newest version. */
  readonly latest: number
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Whose turn it is, if anybody's. */
  readonly turn: Ticket | null
}

/** What became of each write, and the newest version then. */
export interface CommittedWrites {
  readonly outcomes: readonly CommitOutcome[]
  readonly latest: number
}

/**
 * Commits writes one after the other, each that can be as a version of its own. While it is somebody's turn, those of others wait. Throws
 * as `commitWrite` does: then nothing of the whole batch may stay.
 */
export function commitWrites(
  writes: readonly AtomicWrite[],
  transaction: CommitTransaction,
  state: CommitState,
  guardAll: boolean,
): CommittedWrites {
  const { now } = state
  let { latest, turn } = state
  const outcomes: CommitOutcome[] = []
  for (const write of writes) {
    if (turn !== null && write.turn !== turn.id) {
      outcomes.push({ type: 'waits', until: turn.until })
      continue
    }
    const outcome = commitWrite(write, { transaction, version: latest + 1, now }, guardAll)
    if (outcome.type === 'committed') {
      latest = outcome.version
      // What is written beside the unit of work whose turn it is does not end it.
      if (turn !== null && write.reads !== undefined) {
        transaction.endTurn(turn.id)
        turn = null
      }
    }
    outcomes.push(outcome)
  }
  return { outcomes, latest }
}
