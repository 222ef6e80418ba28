import Database from 'better-sqlite3'

export function openByHand(path: string): Database.Database {
  const database = new Database(path)
  database.pragma('synchronous = NORMAL')
  database.pragma('wal_autocheckpoint = 4000')
  database.pragma('cache_size = -8192')
  return database
}

type WorkByHand = (
  database: Database.Database,
  pauses: Pauses,
  signal: AbortSignal | undefined,
) => Promise<unknown>

/** What keeps all of its rows, by hand with pauses as often: the collector of V8 then takes the longest in both. */
const works: Readonly<Record<string, WorkByHand>> = {
  'findMany by hand': async (database, pauses, signal) => {
    const found = []
    const rows = database.prepare<[], [Buffer, string, number]>(
      'SELECT key, value, version FROM kv ORDER BY key',
    )
    for (const [key, value, version] of rows.raw().iterate()) {
      found.push({ key, value: JSON.parse(value) as unknown, versionstamp: String(version) })
      if (pauses.isDue) await pauses.next()
      signal?.throwIfAborted()
    }
    return found
  },
  'gets at once by hand': (database, pauses) => {
    const select = database
      .prepare<[number], [string, number]>('SELECT value, version FROM kv WHERE rowid = ?')
      .raw()
    const get = async (place: number) => {
      while (pauses.isDue) await pauses.next()
      const [value, version] = select.get(place)!
      return { place, value: JSON.parse(value) as unknown, versionstamp: String(version) }
    }
    return Promise.all(Array.from({ length: 20_000 }, (_, n) => get(n + 1)))
  },
}

export const namesByHand = Object.keys(works)

export async function workByHand(
  name: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const database = openByHand(path)
  try {
    return await works[name]!(database, new Pauses(), signal)
  } finally {
    database.close()
  }
}

/** A pause of the event loop after each ten milliseconds of work. */
class Pauses {
  #since = performance.now()
  #next: Promise<void> | null = null

  get isDue(): boolean {
    return performance.now() - this.#since > 10
  }

  next(): Promise<void> {
    this.#next ??= new Promise<void>((resolve) =>
      setImmediate(() => {
        this.#since = performance.now()
        this.#next = null
        resolve()
      }),
    )
    return this.#next
  }
}
