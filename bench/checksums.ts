// What checksums cost: npx node --expose-gc bench/checksums.ts
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'

const rounds = 15
const rows = 2_000
const kinds = ['plain', 'checksums'] as const

type Kind = (typeof kinds)[number]
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
    list: () => Array.fromAsync(db.list({ prefix: ['rows'] })),
  }
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1]!
}

const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-checksums-'))
try {
  for (const bytes of [100, 1_000, 10_000]) {
    const value = { text: 'x'.repeat(bytes - 11) }
    const databases = await Promise.all(
      kinds.map((kind) =>
        Valkeyrie.open(join(folder, `${kind}-${bytes}.db`), { checksums: kind === 'checksums' }),
      ),
    )
    const tasks = databases.map((db) => tasksOf(db, value))
    for (const name of Object.keys(tasks[0]!)) {
      const times: Record<Kind, number[]> = { plain: [], checksums: [] }
      for (let round = 0; round <= rounds; round++) {
        for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
          globalThis.gc?.()
          const start = performance.now()
          await tasks[at]![name]!()
          // The first round warms up.
          if (round > 0) times[kinds[at]!].push(((performance.now() - start) * 1_000) / rows)
        }
      }
      const [plain, sums] = kinds.map((kind) => middle(times[kind])) as [number, number]
      const ratio = (sums / plain).toFixed(2)
      console.log(
        `${bytes} B ${name}: ${plain.toFixed(2)} µs, with checksums ${sums.toFixed(2)} µs, ×${ratio}`,
      )
    }
    for (const db of databases) await db.close()
  }
} finally {
  rmSync(folder, { recursive: true })
}
