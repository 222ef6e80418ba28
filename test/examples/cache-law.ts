import { isDeepStrictEqual } from 'node:util'

/** From this version on a row had this value, until its next state; null: it was missing. */
export interface State {
  readonly version: string
  readonly value: unknown
  /** When the value expired, in ms since the epoch. */
  readonly expiresAt?: number | undefined
}

/** What a cache has given. */
export interface CacheRead {
  readonly id: string
  readonly versionstamp: string | null
  readonly value: unknown
  /** The newest version that the cache knew when the read began, by the feed or by a finished write: it returns nothing older. */
  readonly floor: string
  /** When the read was over, in ms since the epoch. */
  readonly at: number
}

/** The states of every row, in the order of their versions. */
export type History = ReadonlyMap<string, readonly State[]>

export const noVersion = '0'.repeat(20)

/** The reads that gave what the database did not give at any moment from their floor on. */
export function violationsOf(history: History, reads: readonly CacheRead[]): CacheRead[] {
  return reads.filter((read) => {
    const states: readonly State[] = [{ version: noVersion, value: null }, ...(history.get(read.id) ?? [])]
    return !states.some((state, i) => {
      const next = states[i + 1]
      if (next !== undefined && next.version <= read.floor) return false
      if (read.versionstamp === null) {
        return state.value === null || (state.expiresAt !== undefined && state.expiresAt <= read.at)
      }
      return state.version === read.versionstamp && isDeepStrictEqual(state.value, read.value)
    })
  })
}
