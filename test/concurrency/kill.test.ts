import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { type KvU64, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { startChild } from './child.ts'
import { randomOf, seedOfThisRun } from './random.ts'
import { newDatabasePath } from './temporary-folder.ts'

const longestLife = 60

interface Acknowledged {
  readonly n: number
  readonly versionstamp: string
}

/** Lets a process write, kills it at a random moment after its first commit, and gives what it has acknowledged. */
async function writeUntilKilled(path: string, round: number, random: () => number): Promise<Acknowledged[]> {
  const child = startChild('concurrency/programs/writer.ts', { path, round })
  const lines = createInterface({ input: child.process.stdout! })
  const acknowledged: Acknowledged[] = []
  lines.on('line', (line) => {
    const [n, versionstamp] = line.split(' ')
    // A line that was cut off has not been acknowledged.
    if (versionstamp?.length === 20) acknowledged.push({ n: Number(n), versionstamp })
  })
  const read = once(lines, 'close')
  await Promise.race([once(lines, 'line'), child.ended])
  await delay(random() * longestLife)
  child.process.kill('SIGKILL')
  expect(await child.ended).toEqual([null, 'SIGKILL'])
  await read
  return acknowledged
}

async function killAgainAndAgain(times: number, random: () => number): Promise<void> {
  const path = newDatabasePath()
  let before = ''
  let commits = 0n
  for (let round = 1; round <= times; round++) {
    const acknowledged = await writeUntilKilled(path, round, random)
    expect(acknowledged.length).toBeGreaterThan(0)

    const file = new Database(path)
    expect(file.pragma('integrity_check', { simple: true })).toBe('ok')
    file.close()

    const db = await Valkeyrie.open(path)
    const parts = new Map<string, { readonly value: unknown; readonly versionstamp: string }>()
    for await (const { key, value, versionstamp } of db.list({ prefix: ['parts', round] })) {
      parts.set(`${key[2]}${key[3]}`, { value, versionstamp })
    }
    for (const { n, versionstamp } of acknowledged) {
      expect(parts.get(`${n}a`)).toEqual({ value: `${round}-${n}`, versionstamp })
      expect(versionstamp > before).toBe(true)
    }
    for (const [name, { value, versionstamp }] of parts) {
      if (!name.endsWith('a')) continue
      const n = Number.parseInt(name, 10)
      expect(parts.get(`${n}b`)).toEqual({ value: (value as string).repeat(n % 500), versionstamp })
    }
    commits += BigInt(parts.size / 2)
    const [counter, newest] = await db.getMany([['commits'], ['newest']])
    expect((counter.value as KvU64).value).toBe(commits)
    const { versionstamp } = await db.set(['after', round], true)
    expect(versionstamp > newest.versionstamp!).toBe(true)
    before = versionstamp
    await db.close()
  }
}

it('kill -9 of a writing process, 50 times: what it acknowledged is there, and nothing is half there', {
  timeout: 120_000,
}, async () => {
  const random = randomOf(seedOfThisRun())
  // Two files at a time, so that one process starts while another one writes.
  await Promise.all([killAgainAndAgain(25, random), killAgainAndAgain(25, random)])
})
