import type { Contender } from './contender.ts'
import { type HandWrittenEntry, handWrittenTable, openHandWritten } from './hand-written-table.ts'
import { versionOf } from './version-of.ts'

/**
 * What one would write by hand on better-sqlite3 for this work and nothing else: synchronous calls, without schemas,
 * expiry or indexes.
 */
export const byHand: Contender = {
  name: 'by hand',
  version: `better-sqlite3 ${versionOf('better-sqlite3')}`,
  note: "prepared statements for this work and nothing else; no checks of values, no expiry; SQLite's default cache and checkpoints",
  open(dir, _, durability) {
    const db = openHandWritten(dir, durability)
    const table = handWrittenTable(db)
    return {
      get: table.get,
      userOf: (entry: HandWrittenEntry | null) => entry?.value,
      getMany: table.getMany,
      set: table.set,
      setsAtOnce: table.setEach,
      atomic: table.setAll,
      swapAges: table.swapAges,
      list: table.list,
      userOfListed: ({ value }: HandWrittenEntry) => value,
      load: table.insertAll,
      close: () => db.close(),
    }
  },
}
