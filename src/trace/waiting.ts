import { retries, type TracedWait, waits } from './channels.ts'

/** Resolves as `promise` does, and reports how long it took. */
export function waited<T>(database: string, what: TracedWait['for'], promise: Promise<T>): Promise<T> {
  return waits.hasSubscribers ? timed(database, what, promise) : promise
}

/** Reports an attempt that met a conflict and is repeated. */
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
