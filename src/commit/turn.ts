/**
 * A place in the queue of those whose commits others have made fail several times. The first of them is given a turn, in which
 * the commits of all others wait. Times are in milliseconds since the epoch: one that has passed is of somebody who is gone, or
 * takes too long.
 */
export interface Ticket {
  readonly id: string
  readonly until: number
  /** Whether its turn has begun. */
  readonly active: boolean
}

/** Milliseconds for which a place is kept for somebody who does not ask again. */
const placeKept = 1_000
/** The longest turn in milliseconds; a later time is that of a clock that was put back. */
export const longestTurn = 5_000

/** The queue after somebody has asked for a turn of `hold` milliseconds; it is theirs where it is the first of it and active. */
export function askForTurn(
  tickets: readonly Ticket[],
  id: string,
  hold: number,
  now: number,
): readonly Ticket[] {
  const alive = tickets.filter((ticket) => isAlive(ticket, now))
  const place = alive.findIndex((ticket) => ticket.id === id)
  const others = alive.filter((ticket) => ticket.id !== id)
  if (others.length === alive.length) alive.push({ id, until: now + placeKept, active: false })
  if (alive[0]!.id === id) return [{ id, until: now + Math.min(hold, longestTurn), active: true }, ...others]
  return alive.map((ticket, i) => (i === place ? { ...ticket, until: now + placeKept } : ticket))
}

/** The queue without somebody. */
export function leaveTurn(tickets: readonly Ticket[], id: string): readonly Ticket[] {
  return tickets.filter((ticket) => ticket.id !== id)
}

/** Whose turn it is, if anybody's. */
export function activeTurn([first]: readonly Ticket[], now: number): Ticket | null {
  return first?.active && isAlive(first, now) ? first : null
}

/** Whether asking again changes nothing: the place is kept, and another is in front. */
export function isWaiting(tickets: readonly Ticket[], id: string, now: number): boolean {
  const place = tickets.findIndex((ticket) => ticket.id === id)
  if (place < 1 || !isAlive(tickets[0]!, now)) return false
  return tickets[place]!.until - now > placeKept / 2
}

function isAlive({ until }: Ticket, now: number): boolean {
  return until > now && until <= now + longestTurn
}
