import { useEffect } from 'preact/hooks'

/** The longest time that a timer takes, in milliseconds. */
const longest = 2 ** 31 - 1
/** What expires within so many milliseconds is read again at once. */
const together = 250

/** Calls back after a time, in milliseconds since the epoch: a database that nobody writes to reports no expiry. Null: never. */
export function useExpiry(at: number | null, call: () => void): void {
  useEffect(() => {
    if (at === null) return
    const timer = setTimeout(call, Math.min(longest, Math.max(0, at - Date.now()) + together))
    return () => clearTimeout(timer)
  }, [at])
}

/** The next time at which one of these expires; null: none does. */
export function nextExpiry(rows: readonly { readonly expiresAt: number | null }[]): number | null {
  const now = Date.now()
  const next = rows.reduce(
    (least, { expiresAt }) => (expiresAt === null || expiresAt <= now ? least : Math.min(least, expiresAt)),
    Number.POSITIVE_INFINITY,
  )
  return Number.isFinite(next) ? next : null
}
