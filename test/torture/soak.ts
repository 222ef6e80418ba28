import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { type KvU64, Valkeyrie } from 'valkeyrie'
import { waitFor } from '../waiting.ts'
import type { Attack } from './attack.ts'
import { Program } from './program.ts'
import { openSoaked, type SoakedDatabase } from './soaked.ts'

const workersAtATime = 3
/** Milliseconds between two kills. */
const longestLife = 600
const beginning = '0'.repeat(20)

/** What holds for the database whenever nobody writes; `acknowledged`: the numbers acknowledged to each process. */
async function assertSound(db: SoakedDatabase, path: string, acknowledged: ReadonlyMap<string, number>) {
  const file = new Database(path)
  assert.equal(file.pragma('integrity_check', { simple: true }), 'ok')
  file.close()
  assert.deepEqual((await Valkeyrie.verify(path)).findings, [])
  const { people, accounts, jobs } = db.repositories
  const balances = await accounts.findMany()
  assert.equal(
    balances.reduce((sum, { value }) => sum + value.balance, 0),
    0,
  )
  const numbers = async (key: string) => Number(((await db.get([key])).value as KvU64 | null)?.value ?? 0n)
  assert.equal(await numbers('made'), (await numbers('done')) + (await jobs.count()))
  for (const [name, n] of acknowledged) {
    const rows = await Array.fromAsync(db.list({ prefix: ['numbered', name] }), ({ key }) => key[2])
    assert.deepEqual(
      rows,
      rows.map((_, at) => at + 1),
      `${name} has its numbers without a gap`,
    )
    assert(rows.length >= n, `${name} was told of ${n}, and ${rows.length} are there`)
    const counted = (await db.get(['count', name])).value as KvU64 | null
    assert.equal(Number(counted?.value ?? 0n), rows.length)
  }
  const emails = (await people.findMany()).map(({ value }) => value.email)
  assert.equal(new Set(emails).size, emails.length)
  for (const email of emails.slice(0, 20)) assert.equal(await people.count({ where: { email } }), 1)
}

export const soak: Attack = {
  name: 'a soak',
  promise:
    'Processes that use a database in all ways and are killed keep its invariants, and a watcher sees every commit once, in order.',
  async run({ random, folder, another }) {
    const path = join(folder, 'data.db')
    await using db = await openSoaked(path)
    for (let id = 0; id < 5; id++) await db.repositories.accounts.set(id, { balance: 0 })
    const acknowledged = new Map<string, number>()
    const workers: (readonly [name: string, Program])[] = []
    const start = (name: string) =>
      workers.push([name, new Program('soak-worker', { path, name, seed: Math.floor(random() * 2 ** 31) })])
    const end = async ([name, worker]: readonly [string, Program]) => {
      // A process that has ended without being killed has found something wrong.
      assert.equal(await worker.kill(), 'SIGKILL', `${name} has ended`)
      acknowledged.set(name, worker.lines.length)
    }
    using watcher = new Program('soak-watcher', { path, since: beginning })
    let kills = 0
    try {
      for (; another(); kills++) {
        while (workers.length < workersAtATime) start(`w${kills}.${workers.length}`)
        const at = Math.floor(random() * workers.length)
        await workers[at]![1].printed(1)
        await delay(random() * longestLife)
        await end(workers.splice(at, 1)[0]!)
        // A later watcher, which starts after what the first one has reported.
        const [since] = watcher.lines.at(-1)?.split(' ') ?? []
        if (since !== undefined && random() < 0.3) {
          using later = new Program('soak-watcher', { path, since })
          await later.printed(1)
        }
      }
      for (const worker of workers.splice(0)) await end(worker)
      await db.set(['end'], true)
      assert.equal(await waitFor('the watcher', watcher.ended), 0)
      await assertSound(db, path, acknowledged)
    } finally {
      for (const [, worker] of workers) worker[Symbol.dispose]()
    }
    const commits = [...acknowledged.values()].reduce((sum, n) => sum + n, 0)
    return { kills, 'numbered commits': commits }
  },
}
