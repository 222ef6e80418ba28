import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { summarize, type Timing } from '../harness/timing.ts'

const rows = 2_000
const sizes = [100, 1_000, 10_000]
/** Without and with them. */
const kinds = [false, true]

/** What a call took for a row of so many bytes, in a file without checksums and in one with them. */
export interface ChecksumTimes {
  readonly task: string
  readonly bytes: number
  readonly without: Timing
  readonly with: Timing
}

type Tasks = Readonly<Record<string, () => Promise<unknown>>>

/** Each task over all rows, one row a call but for the list. */
function tasksOf(db: Valkeyrie, value: object): Tasks {
  const keys = Array.from({ length: rows }, (_, n) => ['rows', `row-${n}`])
  return {
    set: async () => {
      for (const key of keys) await db.set(key, value)
    },
    get: async () => {
      for (const key of keys) await db.get(key)
    },
    'list, a row': () => Array.fromAsync(db.list({ prefix: ['rows'] })),
  }
}

export async function measureChecksums(
  rounds: number,
  onTask: (task: string) => void,
): Promise<readonly ChecksumTimes[]> {
  using temporary = temporaryFolder()
  const all: ChecksumTimes[] = []
  for (const bytes of sizes) {
    const value = { text: 'x'.repeat(bytes - '{"text":""}'.length) }
    const folder = temporary.folder('checksums')
    const databases = await Promise.all(
      kinds.map((checksums) => Valkeyrie.open(join(folder, `${checksums}.db`), { checksums })),
    )
    const tasks = databases.map((db) => tasksOf(db, value))
    for (const task of Object.keys(tasks[0]!)) {
      onTask(`${task} of ${bytes} bytes`)
      const times: [number[], number[]] = [[], []]
      // The first round warms up.
      for (let round = 0; round <= rounds; round++) {
        for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
          globalThis.gc?.({ type: 'minor' })
          const start = process.hrtime.bigint()
          await tasks[at]![task]!()
          const taken = Number(process.hrtime.bigint() - start) / rows
          if (round > 0) times[at]!.push(taken)
        }
      }
      all.push({ task, bytes, without: summarize(times[0]), with: summarize(times[1]) })
    }
    for (const db of databases) await db.close()
  }
  return all
}
