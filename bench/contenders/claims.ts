import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

/** What claims the jobs of a file one by one. */
export interface ClaimedFile {
  /** Adds so many jobs that wait. */
  fill(jobs: number): unknown
  /** Whether there was one. */
  claim(by: string): Promise<boolean> | boolean
  /** How many jobs each has claimed. */
  counts(): Promise<Record<string, number>> | Record<string, number>
  close(): unknown
}

const job = z.object({
  state: z.enum(['waiting', 'taken']),
  rank: z.int(),
  by: z.string().optional(),
  payload: z.string(),
})

const jobsOf = (count: number) =>
  Array.from(
    { length: count },
    (_, rank) => [`job-${rank}`, { state: 'waiting', rank, payload: 'x'.repeat(100) }] as const,
  )

function byHand(dir: string): ClaimedFile {
  const db = new Database(join(dir, 'by-hand.db'), { timeout: 10_000 })
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(`CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS waiting ON jobs (value ->> '$.state', value ->> '$.rank')`)
  const insert = db.prepare('INSERT INTO jobs VALUES (?, ?)')
  const claim =
    db.prepare(`UPDATE jobs SET value = json_set(value, '$.state', 'taken', '$.by', ?) WHERE id = (
      SELECT id FROM jobs WHERE value ->> '$.state' = 'waiting' ORDER BY value ->> '$.rank' LIMIT 1) RETURNING id, value`)
  const counts = db.prepare(`SELECT value ->> '$.by', count(*) FROM jobs GROUP BY 1`).raw()
  return {
    fill: db.transaction((jobs: number) => {
      for (const [id, value] of jobsOf(jobs)) insert.run(id, JSON.stringify(value))
    }),
    claim(by) {
      const row = claim.get(by) as { value: string } | undefined
      if (row !== undefined) JSON.parse(row.value)
      return row !== undefined
    },
    counts: () => Object.fromEntries(counts.all() as [string, number][]),
    close: () => db.close(),
  }
}

async function repository(dir: string): Promise<ClaimedFile> {
  const db = await Valkeyrie.withSchema(['jobs', '*'], job, { indexes: [{ on: ['state', 'rank'] }] }).open(
    join(dir, 'valkeyrie.db'),
  )
  const { jobs } = db.repositories
  return {
    fill: (count) => jobs.insertMany(jobsOf(count)),
    async claim(by) {
      const { count } = await jobs.claimMany({
        where: { state: 'waiting' },
        orderBy: { rank: 'asc' },
        limit: 1,
        set: { state: 'taken', by },
      })
      return count === 1
    },
    async counts() {
      const groups = await jobs.aggregate({ count: true, groupBy: 'by' })
      return Object.fromEntries(groups.map(({ group, count }) => [String(group.by), count]))
    },
    close: () => db.close(),
  }
}

export const claimContenders = { 'by hand': byHand, 'valkeyrie repository': repository }

export type ClaimContender = keyof typeof claimContenders
