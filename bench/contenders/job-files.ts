import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { queue } from 'valkeyrie/queue'
import { z } from 'zod'

/** A queue in a file, of jobs that take no time. */
interface JobFile {
  enqueue(jobs: number): unknown
  /** Works on so many jobs, some at once. */
  work(jobs: number, atOnce: number): Promise<void>
  close(): unknown
}

const payload = { to: 'ada@example.com', text: 'x'.repeat(100) }
const lease = 30_000

/** One `INSERT` a job, in one transaction; a lease and an end for as many as are worked on at once in a transaction each. */
function byHand(dir: string): JobFile {
  const db = new Database(join(dir, 'by-hand.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(`CREATE TABLE jobs (id TEXT PRIMARY KEY, payload TEXT, due INTEGER, priority INTEGER, attempts INTEGER, worker TEXT) WITHOUT ROWID;
    CREATE INDEX due ON jobs (priority, due)`)
  const insert = db.prepare('INSERT INTO jobs VALUES (?, ?, ?, 0, 0, NULL)')
  const claim = db.prepare(`UPDATE jobs SET worker = 'me', attempts = attempts + 1, due = ? WHERE id IN (
    SELECT id FROM jobs WHERE priority = 0 AND due <= ? ORDER BY due LIMIT ?) RETURNING id, payload`)
  const remove = db.prepare("DELETE FROM jobs WHERE id = ? AND worker = 'me'")
  const removeAll = db.transaction((ids: readonly string[]) => {
    for (const id of ids) remove.run(id)
  })
  return {
    enqueue: db.transaction((jobs: number) => {
      for (let n = 0; n < jobs; n++) insert.run(randomUUID(), JSON.stringify(payload), Date.now())
    }),
    async work(jobs, atOnce) {
      for (let done = 0; done < jobs; ) {
        const rows = claim.all(Date.now() + lease, Date.now(), atOnce) as { id: string; payload: string }[]
        await Promise.all(rows.map(async (row) => JSON.parse(row.payload)))
        removeAll(rows.map(({ id }) => id))
        done += rows.length
      }
    },
    close: () => db.close(),
  }
}

const letters = queue('letters', z.object({ to: z.string(), text: z.string() }))

async function valkeyrieQueue(dir: string): Promise<JobFile> {
  const db = await Valkeyrie.withSchemas([...letters.definitions]).open(join(dir, 'valkeyrie.db'))
  return {
    enqueue: (jobs) => Promise.all(Array.from({ length: jobs }, () => letters.enqueue(db, payload))),
    async work(jobs, atOnce) {
      const { promise, resolve } = Promise.withResolvers<void>()
      let done = 0
      const worker = letters.process(db, () => ++done === jobs && resolve(), { concurrency: atOnce })
      await promise
      await worker.stop()
    },
    close: () => db.close(),
  }
}

export const jobContenders = { 'by hand': byHand, valkeyrie: valkeyrieQueue }
