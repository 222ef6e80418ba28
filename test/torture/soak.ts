import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { type KvU64, Valkeyrie } from 'valkeyrie'
import { waitFor } from '../waiting.ts'
import type { Attack, Trials } from './attack.ts'
import { Program } from './program.ts'
import { openSoaked, type SoakedDatabase } from './soaked.ts'

/** Milliseconds between two kills. */
const longestLife = 600
const beginning = '0'.repeat(20)

/** What is soaked, and what happens to it meanwhile. */
export interface Soaked extends AsyncDisposable {
  /** The address of the database. */
  readonly path: string
  /** Another one of it, for its workers. */
  readonly pathOfWorkers?: string
  /** What the harms are called that are counted. */
  readonly harms: string
  /** Does harm, while all workers work. */
  harm(team: Team): Promise<void>
  /** Judges what is stored, once nobody writes any more. */
  check(): Promise<void>
}

/** The workers of a soak. */
export class Team implements AsyncDisposable {
  /** The numbers that were acknowledged to those that are gone. */
  readonly acknowledged = new Map<string, number>()
  readonly random: () => number
  readonly #path: string
  readonly #workers: (readonly [name: string, Program])[] = []
  #started = 0

  constructor(path: string, random: () => number) {
    this.#path = path
    this.random = random
  }

  /** Starts as many workers as are missing from this number. */
  fill(size: number): void {
    while (this.#workers.length < size) {
      const name = `w${this.#started++}`
      const seed = Math.floor(this.random() * 2 ** 31)
      this.#workers.push([name, new Program('soak-worker', { path: this.#path, name, seed })])
    }
  }

  /** Kills one of them in the middle of its work. */
  async kill(): Promise<void> {
    const victim = this.#workers[Math.floor(this.random() * this.#workers.length)]!
    await victim[1].printed(1)
    await delay(this.random() * longestLife)
    this.#workers.splice(this.#workers.indexOf(victim), 1)
    await this.#end(victim)
  }

  /** Waits until each worker has been told of so many further commits, and of one at all. */
  async advance(commits: number): Promise<void> {
    await Promise.all(
      this.#workers.map(([, worker]) => worker.printed(Math.max(1, worker.lines.length + commits))),
    )
  }

  async end(): Promise<void> {
    for (const worker of this.#workers.splice(0)) await this.#end(worker)
  }

  async #end([name, worker]: readonly [string, Program]): Promise<void> {
    // A process that has ended without being killed has found something wrong.
    assert.equal(await worker.kill(), 'SIGKILL', `${name} has ended`)
    this.acknowledged.set(name, worker.lines.length)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [, worker] of this.#workers) worker[Symbol.dispose]()
    await Promise.all(this.#workers.map(([, { ended }]) => ended))
  }
}

/** What holds for the database whenever nobody writes; `acknowledged`: the numbers acknowledged to each process. */
async function assertSound(db: SoakedDatabase, path: string, acknowledged: ReadonlyMap<string, number>) {
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

/** Has so many processes work on a database, and harms it. */
export async function soakIt(
  { path, pathOfWorkers = path, harms, harm, check }: Soaked,
  size: number,
  { random, another }: Trials,
) {
  await using db = await openSoaked(path)
  for (let id = 0; id < 5; id++) await db.repositories.accounts.set(id, { balance: 0 })
  using watcher = new Program('soak-watcher', { path: pathOfWorkers, since: beginning })
  await using team = new Team(pathOfWorkers, random)
  let harmed = 0
  for (; another(); harmed++) {
    team.fill(size)
    await harm(team)
    // A later watcher, which starts after what the first one has reported.
    const [since] = watcher.lines.at(-1)?.split(' ') ?? []
    if (since !== undefined && random() < 0.3) {
      using later = new Program('soak-watcher', { path: pathOfWorkers, since })
      await later.printed(1)
    }
  }
  await team.end()
  await db.set(['end'], true)
  assert.equal(await waitFor('the watcher', watcher.ended), 0)
  await assertSound(db, path, team.acknowledged)
  await check()
  const commits = [...team.acknowledged.values()].reduce((sum, n) => sum + n, 0)
  return { [harms]: harmed, 'numbered commits': commits }
}

export const soak: Attack = {
  name: 'a soak',
  promise:
    'Processes that use a database in all ways and are killed keep its invariants, and a watcher sees every commit once, in order.',
  async run(trials) {
    const path = join(trials.folder, 'data.db')
    const file: Soaked = {
      path,
      harms: 'kills',
      harm: (team) => team.kill(),
      async check() {
        const opened = new Database(path)
        assert.equal(opened.pragma('integrity_check', { simple: true }), 'ok')
        opened.close()
      },
      async [Symbol.asyncDispose]() {},
    }
    return soakIt(file, 3, trials)
  },
}
