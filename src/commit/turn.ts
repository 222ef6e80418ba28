/**
 * A place in the queue of units of work that keep meeting conflicts. The first one gets a turn, during which the commits of all
 * others wait. `until` is in milliseconds since the epoch: once it has passed, its owner is gone or takes too long.
 */
export interface Ticket {
  readonly id: string
  readonly until: number
  /** Whether its turn has begun. */
  readonly active: boolean
}

/** How many milliseconds a place is kept if its owner does not ask again. */
const placeKept = 1_000
/** The longest turn in milliseconds. A ticket that is valid for longer comes from a clock that was set back. */
export const longestTurn = 5_000

/** The queue after `id` has asked for a turn of `hold` milliseconds. It has the turn if it is the first, and active. */
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

/** The queue without this ticket. */
export function leaveTurn(tickets: readonly Ticket[], id: string): readonly Ticket[] {
  return tickets.filter((ticket) => ticket.id !== id)
}

/** Whose turn it is; null if nobody's. */
export function activeTurn([first]: readonly Ticket[], now: number): Ticket | null {
  return first?.active && isAlive(first, now) ? first : null
}

/** Whether asking again would change nothing: the place is still kept, and another ticket is in front. */
export function isWaiting(tickets: readonly Ticket[], id: string, now: number): boolean {
  const place = tickets.findIndex((ticket) => ticket.id === id)
  if (place < 1 || !isAlive(tickets[0]!, now)) return false
  return tickets[place]!.until - now > placeKept / 2
}

function isAlive({ until }: Ticket, now: number): boolean {
  return until > now && until <= now + longestTurn
}
