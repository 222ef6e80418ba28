import { Cron } from 'croner'

/** The times of a cron expression in a time zone. */
export class Occurrences {
  readonly #cron: Cron
  #last: { readonly time: number; readonly next: number | null } | undefined

  /** Throws a TypeError if the cron expression or the time zone does not exist. */
  constructor(cron: string, timeZone: string) {
    if (typeof cron !== 'string') throw new TypeError("cron must be an expression, such as '0 9 * * 1-5'")
    try {
      new Intl.DateTimeFormat('en', { timeZone })
    } catch (cause) {
      throw new TypeError(
        `There is no time zone '${timeZone}': use a name of the IANA database, such as 'Europe/Paris'`,
        {
          cause,
        },
      )
    }
    try {
      // As in Vixie cron, a list such as `0,30 2 * * *` names times of the clock, and only `*` and steps name an interval.
      this.#cron = new Cron(cron, { timezone: timeZone, paused: true, fixedTimeRule: 'no-wildcard' })
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new TypeError(`'${cron}' is not a cron expression: ${reason}`, { cause })
    }
  }

  /** The first occurrence after a time, both in milliseconds since the epoch; null if there is none. Remembers its last answer. */
  after(time: number): number | null {
    if (this.#last?.time !== time)
      this.#last = { time, next: this.#cron.nextRun(new Date(time))?.getTime() ?? null }
    return this.#last.next
  }
}

const most = 10_000
const known = new Map<string, Occurrences>()

/** Cached, because reading an expression takes long. */
export function occurrencesOf(cron: string, timeZone: string): Occurrences {
  const name = `${timeZone} ${cron}`
  let occurrences = known.get(name)
  if (occurrences === undefined) {
    occurrences = new Occurrences(cron, timeZone)
    if (known.size >= most) known.clear()
    known.set(name, occurrences)
  }
  return occurrences
}
