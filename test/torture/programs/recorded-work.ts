// Makes numbered commits, and marks in the log of its calls where each begins and is acknowledged: the process of lost-writes.ts.
import { randomOf } from '../../concurrency/random.ts'
import { Recording } from '../file-calls/recording.ts'
import { commitNumber, openNumbered } from '../numbered-commits.ts'

interface Args {
  readonly path: string
  readonly log: string
  readonly seed: number
  readonly durability: 'normal' | 'full'
}

const { path, log, seed, durability } = JSON.parse(process.argv[2]!) as Args
const random = randomOf(seed)
using recording = new Recording(log)
let db = await openNumbered(path, durability)
for (let n = 1; n <= 20; n++) {
  recording.mark(`begun ${n}`)
  await commitNumber(db, n, Math.floor(random() * 12_000))
  recording.mark(`done ${n}`)
  const next = random()
  if (next < 0.15) db.drizzle.$client.pragma('wal_checkpoint(PASSIVE)')
  else if (next < 0.25) db.drizzle.$client.pragma('wal_checkpoint(TRUNCATE)')
  else if (next < 0.35) {
    await db.close()
    db = await openNumbered(path, durability)
  }
}
await db.close()
