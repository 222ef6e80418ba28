import { useEffect } from 'preact/hooks'

/** The longest time of a timer, in milliseconds. */
const longest = 2 ** 31 - 1
/** Rows that expire within this many milliseconds are read again together. */
const together = 250

/** Calls back at a time, in milliseconds since the epoch, because a database without writes reports no expiry. Null: never. */
export function useExpiry(at: number | null, call: () => void): void {
  useEffect(() => {
    if (at === null) return
    const timer = setTimeout(call, Math.min(longest, Math.max(0, at - Date.now()) + together))
    return () => clearTimeout(timer)
  }, [at])
}

/** The next time at which one of these expires; null if none does. */
export function nextExpiry(rows: readonly { readonly expiresAt: number | null }[]): number | null {
  const now = Date.now()
  const next = rows.reduce(
    (least, { expiresAt }) => (expiresAt === null || expiresAt <= now ? least : Math.min(least, expiresAt)),
    Number.POSITIVE_INFINITY,
  )
  return Number.isFinite(next) ? next : null
}
