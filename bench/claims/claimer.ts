import { on } from 'node:events'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

/** What claims the jobs of a file one by one: gives whether there was one. */
interface ClaimedFile {
  /** Adds so many jobs that wait. */
  fill(jobs: number): Promise<void>
  claim(by: string): Promise<boolean> | boolean
  /** How many jobs each has claimed. */
  counts(): Promise<Record<string, number>>
  close(): Promise<void> | void
}

const job = z.object({
  state: z.enum(['waiting', 'taken']),
  rank: z.int(),
  by: z.string().optional(),
  payload: z.string(),
})
const payload = 'x'.repeat(100)

export const claimContenders: Readonly<
  Record<'by hand' | 'valkeyrie repository', (dir: string) => Promise<ClaimedFile>>
> = {
  'by hand': async (dir) => {
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
      fill: async (jobs) => {
        db.exec('BEGIN')
        for (let rank = 0; rank < jobs; rank++)
          insert.run(`job-${rank}`, JSON.stringify({ state: 'waiting', rank, payload }))
        db.exec('COMMIT')
      },
      claim: (by) => {
        const row = claim.get(by) as { value: string } | undefined
        if (row !== undefined) JSON.parse(row.value)
        return row !== undefined
      },
      counts: async () => Object.fromEntries(counts.all() as [string, number][]),
      close: () => {
        db.close()
      },
    }
  },
  'valkeyrie repository': async (dir) => {
    const db = await Valkeyrie.withSchema(['jobs', '*'], job, { indexes: [{ on: ['state', 'rank'] }] }).open(
      join(dir, 'valkeyrie.db'),
    )
    const { jobs } = db.repositories
    return {
      fill: async (count) => {
        await jobs.insertMany(
          Array.from(
            { length: count },
            (_, rank) => [`job-${rank}`, { state: 'waiting', rank, payload }] as const,
          ),
        )
      },
      claim: async (by) => {
        const { count } = await jobs.claimMany({
          where: { state: 'waiting' },
          orderBy: { rank: 'asc' },
          limit: 1,
          set: { state: 'taken', by },
        })
        return count === 1
      },
      counts: async () => {
        const groups = await jobs.aggregate({ count: true, groupBy: 'by' })
        return Object.fromEntries(groups.map(({ group, count }) => [String(group.by), count]))
      },
      close: () => db.close(),
    }
  },
}

export type ClaimContender = keyof typeof claimContenders

/** What a claiming process is told to do: claim the jobs of a file in this folder until there are none. */
export interface ClaimOrder {
  readonly dir: string
  readonly by: string
}

if (import.meta.main) {
  const open = claimContenders[process.argv[2] as ClaimContender]
  const messages = on(process, 'message')
  const next = async () => (await messages.next()).value![0]
  process.send!('ready')
  for (;;) {
    const { dir, by }: ClaimOrder = await next()
    const file = await open(dir)
    process.send!('open')
    await next()
    let claimed = 0
    for (;;) {
      const found = file.claim(by)
      if (!(found instanceof Promise ? await found : found)) break
      claimed++
    }
    process.send!({ claimed })
    await file.close()
  }
}
