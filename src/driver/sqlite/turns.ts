import { askForTurn, isWaiting, leaveTurn, type Ticket } from '../../commit/turn.ts'
import { latestVersion, type Statements } from './statements.ts'
import type { Transactions } from './transactions.ts'

interface Connection {
  readonly statements: Statements
  readonly transactions: Transactions
}

/**
 * The queue for turns stands in the log, in a row of version 0, which no commit has: so it is read and changed in the same
 * transactions as what it is about.
 */
export function readTurns({ readTurns }: Statements): readonly Ticket[] {
  const row = readTurns.get()
  if (row === undefined) return []
  try {
    return JSON.parse(Buffer.from(row[0]).toString()) as Ticket[]
  } catch {
    return []
  }
}

export function writeTurns(
  { writeTurns, removeTurns }: Statements,
  tickets: readonly Ticket[],
  now: number,
): void {
  if (tickets.length === 0) removeTurns.run()
  else writeTurns.run(now, Buffer.from(JSON.stringify(tickets)))
}

/** Asks for a turn of `hold` milliseconds, and keeps a place in the queue for it; whether it has begun. */
export function takeTurn({ statements, transactions }: Connection, id: string, hold: number): boolean {
  if (isWaiting(readTurns(statements), id, Date.now())) return false
  return transactions.run('write', () => {
    const now = Date.now()
    const tickets = askForTurn(readTurns(statements), id, hold, now)
    writeTurns(statements, tickets, now)
    const isMine = tickets[0]!.id === id
    // Who commits next has to look at the queue: a new version tells.
    if (isMine) statements.appendLog.run(latestVersion(statements) + 1, now, new Uint8Array())
    return isMine
  })
}

export function endTurn({ statements, transactions }: Connection, id: string): void {
  transactions.run('write', () => {
    const tickets = readTurns(statements)
    const left = leaveTurn(tickets, id)
    if (left.length < tickets.length) writeTurns(statements, left, Date.now())
  })
}
