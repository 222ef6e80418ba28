import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { type KvU64, Valkeyrie } from 'valkeyrie'
import type { Attack, Trials } from './attack.ts'
import { Program } from './program.ts'

const longestLife = 60

interface Acknowledged {
  readonly n: number
  readonly versionstamp: string
}

/** Lets a process write, kills it at a random moment after its first commit, and returns what it has acknowledged. */
async function writeUntilKilled(path: string, round: number, random: () => number): Promise<Acknowledged[]> {
  using writer = new Program('kill-writer', { path, round })
  await writer.printed(1)
  await delay(random() * longestLife)
  assert.equal(await writer.kill(), 'SIGKILL')
  // A line that was cut off has not been acknowledged.
  const whole = writer.lines.map((line) => line.split(' ')).filter(([, stamp]) => stamp?.length === 20)
  return whole.map(([n, versionstamp]) => ({ n: Number(n), versionstamp: versionstamp! }))
}

/** One file whose writer is killed repeatedly. */
async function killAgainAndAgain({ random, another }: Trials, path: string): Promise<number> {
  let before = ''
  let commits = 0n
  for (let round = 1; another(); round++) {
    const acknowledged = await writeUntilKilled(path, round, random)
    assert(acknowledged.length > 0)

    const file = new Database(path)
    assert.equal(file.pragma('integrity_check', { simple: true }), 'ok')
    file.close()

    await using db = await Valkeyrie.open(path)
    const parts = new Map<string, { readonly value: unknown; readonly versionstamp: string }>()
    for await (const { key, value, versionstamp } of db.list({ prefix: ['parts', round] })) {
      parts.set(`${key[2]}${key[3]}`, { value, versionstamp })
    }
    for (const { n, versionstamp } of acknowledged) {
      assert.deepEqual(parts.get(`${n}a`), { value: `${round}-${n}`, versionstamp })
      assert(versionstamp > before)
    }
    for (const [name, { value, versionstamp }] of parts) {
      if (!name.endsWith('a')) continue
      const n = Number.parseInt(name, 10)
      assert.deepEqual(parts.get(`${n}b`), { value: (value as string).repeat(n % 500), versionstamp })
    }
    commits += BigInt(parts.size / 2)
    const [counter, newest] = await db.getMany([['commits'], ['newest']])
    assert.equal((counter.value as KvU64).value, commits)
    const { versionstamp } = await db.set(['after', round], true)
    assert(versionstamp > newest.versionstamp!)
    before = versionstamp
  }
  return Number(commits)
}

export const kill: Attack = {
  name: 'kill -9 of a writing process',
  promise: 'What it acknowledged is there, and nothing is half there.',
  async run(trials) {
    // Two files at a time, so that one process starts while another one writes.
    const files = ['one.db', 'two.db'].map((name) => join(trials.folder, name))
    const commits = await Promise.all(files.map((file) => killAgainAndAgain(trials, file)))
    return { commits: commits.reduce((sum, n) => sum + n) }
  },
}
