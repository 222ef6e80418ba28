import { statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'

/** What is left on the disk. */
export interface FileSizes {
  /** Bytes of the write-ahead log after one large commit, and after a reader that held it back, once the database was quiet. */
  readonly afterCommit: { readonly peak: number; readonly quiet: number }
  readonly afterReader: { readonly peak: number; readonly quiet: number }
  /** Commits in the log, of so many that it is to keep. */
  readonly log: { readonly commits: number; readonly keeps: number; readonly bytes: number }
}

const value = 'x'.repeat(50_000)
const keeps = 5_000

export async function measureFileSizes(path: string): Promise<FileSizes> {
  await using db = await Valkeyrie.open(path, { log: { keepRows: keeps } })
  const wal = () => statSync(`${path}-wal`).size
  const writeMuch = async () => {
    const atomic = db.atomic()
    for (let n = 0; n < 700; n++) atomic.set(['large', n], value)
    await atomic.commit()
  }
  const quiet = async () => {
    // Looked for after a second without commits.
    await wait(4_500)
    return wal()
  }
  await writeMuch()
  const afterCommit = { peak: wal(), quiet: await quiet() }
  const reader = new Database(path, { readonly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM kv').get()
  for (let round = 0; round < 2; round++) await writeMuch()
  const peak = wal()
  reader.close()
  const afterReader = { peak, quiet: await quiet() }
  for (let n = 0; n < 6 * keeps; n += 500)
    await Promise.all(Array.from({ length: 500 }, (_, i) => db.set(['small', i], n)))
  const log = new Database(path, { readonly: true })
  const [commits, bytes] = log
    .prepare('SELECT count(*), sum(length(changes)) FROM kv_log WHERE version > 0')
    .raw()
    .get() as [number, number]
  log.close()
  return { afterCommit, afterReader, log: { commits, keeps, bytes } }
}
