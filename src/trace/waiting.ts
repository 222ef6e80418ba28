import { retries, type TracedWait, waits } from './channels.ts'

/** What `promise` gives, and tells how long that has taken. */
export function waited<T>(database: string, what: TracedWait['for'], promise: Promise<T>): Promise<T> {
  return waits.hasSubscribers ? timed(database, what, promise) : promise
}

/** Tells that an attempt has met a conflict, and another is made. */
export function retried(database: string, attempt: number): void {
  if (retries.hasSubscribers) retries.publish({ database, attempt })
}

async function timed<T>(database: string, what: TracedWait['for'], promise: Promise<T>): Promise<T> {
  const started = performance.now()
  try {
    return await promise
  } finally {
    waits.publish({ database, for: what, duration: performance.now() - started })
  }
}
