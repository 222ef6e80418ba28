import { askForTurn, isWaiting, leaveTurn, type Ticket } from '../../../commit/turn.ts'
import { metaRow } from '../rows/meta-row.ts'
import type { Statements } from '../rows/statements.ts'
import type { RunStatement } from '../server/statement.types.ts'

/** Asks for a turn of `hold` milliseconds, and keeps a place in the queue for it. Returns whether it has begun. */
export async function takeTurn(
  statements: Statements,
  run: RunStatement,
  id: string,
  hold: number,
): Promise<boolean> {
  for (;;) {
    const { text, tickets, now } = await readTurns(statements, run)
    if (isWaiting(tickets, id, now)) return false
    const asked = askForTurn(tickets, id, hold, now)
    const isMine = asked[0]!.id === id
    // A new version makes the next commit look at the queue.
    if (await changeTurns(statements, run, text, asked, isMine)) return isMine
  }
}

export async function endTurn(statements: Statements, run: RunStatement, id: string): Promise<void> {
  for (;;) {
    const { text, tickets } = await readTurns(statements, run)
    const left = leaveTurn(tickets, id)
    if (left.length === tickets.length) return
    if (await changeTurns(statements, run, text, left, false)) return
  }
}

async function readTurns({ turns }: Statements, run: RunStatement) {
  const [row] = await run(turns, [])
  const [text, now] = metaRow(row) as [string, number]
  return { text, tickets: JSON.parse(text) as readonly Ticket[], now }
}

/** Whether the queue was unchanged since it was read, and has now been changed. */
async function changeTurns(
  { changeTurns }: Statements,
  run: RunStatement,
  before: string,
  tickets: readonly Ticket[],
  begins: boolean,
): Promise<boolean> {
  const [row] = await run(changeTurns, [before, JSON.stringify(tickets), begins])
  return row![0] as boolean
}
