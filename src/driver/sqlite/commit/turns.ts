import { askForTurn, isWaiting, leaveTurn, type Ticket } from '../../../commit/turn.ts'
import { latestVersion, type Statements } from '../rows/statements.ts'
import type { Transactions } from './transactions.ts'

interface Connection {
  readonly statements: Statements
  readonly transactions: Transactions
}

/**
 * The version of the schema in which a connection found no table. Looking for the table reads the whole schema, under the lock, at
 * each commit after one of another process: with 50 indexes, that is a twentieth of what the commit takes.
 */
const withoutTable = new WeakMap<Statements, unknown>()

/**
 * The queue for turns is a table, created by the first call that waits. So it is read and changed in the transactions that it is
 * about, and older releases ignore it.
 */
export function readTurns(statements: Statements): readonly Ticket[] {
  const { control, turnsTable, readTurns } = statements
  const schema = control.schemaVersion.get()
  if (withoutTable.get(statements) === schema) return []
  if (turnsTable.get() === undefined) {
    withoutTable.set(statements, schema)
    return []
  }
  return readTurns.all().map(([id, until, active]) => ({ id, until, active: active === 1 }))
}

export function writeTurns({ removeTurns, addTurn }: Statements, tickets: readonly Ticket[]): void {
  removeTurns.run()
  for (const { id, until, active } of tickets) addTurn.run(id, until, active ? 1 : 0)
}

/** Asks for a turn of `hold` milliseconds, and keeps a place in the queue for it. Returns whether it has begun. */
export function takeTurn({ statements, transactions }: Connection, id: string, hold: number): boolean {
  if (isWaiting(readTurns(statements), id, Date.now())) return false
  return transactions.run('write', () => {
    const now = Date.now()
    const tickets = askForTurn(readTurns(statements), id, hold, now)
    statements.makeTurnsTable.run()
    writeTurns(statements, tickets)
    const isMine = tickets[0]!.id === id
    // A new version makes the next commit look at the queue.
    if (isMine) statements.appendLog.run(latestVersion(statements) + 1, now, new Uint8Array())
    return isMine
  })
}

export function endTurn({ statements, transactions }: Connection, id: string): void {
  transactions.run('write', () => {
    const tickets = readTurns(statements)
    const left = leaveTurn(tickets, id)
    if (left.length < tickets.length) writeTurns(statements, left)
  })
}
