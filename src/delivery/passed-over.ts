import { KvError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { encodeStoredKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'

/** A row as it was found. */
export interface Found {
  readonly key: Key
  readonly version: number
}

interface Passed {
  readonly version: number
  readonly pause: number
  readonly until: number
}

/** How many milliseconds to leave a row alone; doubles with each further failure. */
const firstPause = 50
const longestPause = 60_000

/**
 * The messages, jobs or schedules of one queue that could not be taken in this process: because they cannot be decoded here, are
 * too large here, or are none. They are left for whoever can, and tried again after a pause. The others are taken meanwhile.
 */
export class PassedOver {
  readonly #now: () => number
  readonly #warn: (error: unknown) => void
  readonly #rows = new Map<string, Passed>()

  /** `now`: milliseconds since the epoch, by the clock of the database. `warn` is told why a row is passed over, each time. */
  constructor(now: () => number, warn: (error: unknown) => void) {
    this.#now = now
    this.#warn = warn
  }

  /** The most rows that `isPaused` holds for. */
  get size(): number {
    return this.#rows.size
  }

  /**
   * When to try one of them again: milliseconds since the epoch, null for never. `since`: a time before `isPaused` was asked. A
   * pause that has ended since then counts too: its row may have been left alone.
   */
  next(since: number): number | null {
    const now = Math.min(since, this.#now())
    let next: number | null = null
    for (const [text, { until }] of this.#rows) {
      // Nobody has met it again: it is gone.
      if (until < now - longestPause) this.#rows.delete(text)
      else if (until > now && (next === null || until < next)) next = until
    }
    return next
  }

  /** Whether to leave the row alone for now. One that has changed is another row. */
  isPaused(row: Found): boolean {
    const passed = this.#of(row)
    if (passed === undefined) return false
    const left = passed.until - this.#now()
    // If the clock was put back, the pause would be longer.
    return left > 0 && left <= passed.pause
  }

  /**
   * What `take` gives for each row. A row for which it fails gives null and is passed over. Rejects if it fails for all, and for one
   * of them because of the database, as on a full disk: then none of them is to blame.
   */
  async takeEach<R extends Found, T>(
    rows: readonly R[],
    take: (row: R) => Promise<T | null>,
  ): Promise<(T | null)[]> {
    const faults: { readonly row: R; readonly error: unknown }[] = []
    const taken = await Promise.all(
      rows.map(async (row) => {
        try {
          const one = await take(row)
          if (this.#rows.size > 0) this.#rows.delete(textOf(row))
          return one
        } catch (error) {
          faults.push({ row, error })
          return null
        }
      }),
    )
    const ofDatabase = faults.find(({ error }) => !isOfRow(error))
    const isHopeless = ofDatabase !== undefined && faults.length === rows.length
    for (const { row, error } of faults) if (!isHopeless || isOfRow(error)) this.#add(row, error)
    if (isHopeless) throw ofDatabase.error
    return taken
  }

  #add(row: Found, error: unknown): void {
    const before = this.#of(row)
    const pause = before === undefined ? firstPause : Math.min(2 * before.pause, longestPause)
    this.#rows.set(textOf(row), { version: row.version, pause, until: this.#now() + pause })
    this.#warn(error)
  }

  #of(row: Found): Passed | undefined {
    if (this.#rows.size === 0) return undefined
    const passed = this.#rows.get(textOf(row))
    return passed?.version === row.version ? passed : undefined
  }
}

/** Whether a row is to blame for an error, and not the database. */
export function isOfRow(error: unknown): boolean {
  return !(error instanceof KvError) || error.code === 'CORRUPT_VALUE' || error.code === 'VALIDATION'
}

function textOf({ key }: Found): string {
  return keyText(encodeStoredKey(key))
}
