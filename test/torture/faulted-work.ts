import assert from 'node:assert/strict'
import Database from 'better-sqlite3'
import { type Change, DatabaseClosedError, KvError, KvU64, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { waitUntil } from '../waiting.ts'

const person = z.object({ email: z.string(), age: z.int() })
type Person = z.infer<typeof person>
const schemas = Valkeyrie.withSchema(['people', '*'], person, { indexes: [{ on: 'email', unique: true }] })
/** As a later release declares them: opening builds one more index. */
const laterSchemas = Valkeyrie.withSchema(['people', '*'], person, {
  indexes: [{ on: 'email', unique: true }, { on: 'age' }],
})
type Opened = Awaited<ReturnType<typeof schemas.open>>
type Key = (string | number)[]

const beginning = '0'.repeat(20)

/**
 * Makes calls on a database, one at a time, beside a model of it: everything that was acknowledged, and nothing of what has failed. What
 * a call reads is compared with the model each time.
 */
export class FaultedWork {
  /** What it did, for a report. */
  readonly did: string[] = []
  failures = 0
  readonly #path: string
  readonly #random: () => number
  readonly #checksums: boolean
  /** By the JSON text of their keys. */
  readonly #rows = new Map<string, unknown>()
  /** Of what was acknowledged, in its order. */
  readonly #versions: string[] = []
  #db: Opened | undefined
  /** The disk has refused to sync a write, and the next one has not overwritten it yet: it may be there when all is closed. */
  #unsynced = false
  /** What a watcher that follows the handle has seen; it starts again whenever its stream fails. */
  #seen: string[] = []
  #following: Promise<void> = Promise.resolve()

  constructor(path: string, random: () => number) {
    this.#path = path
    this.#random = random
    this.#checksums = random() < 0.3
  }

  async someSteps(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      if (this.#db === undefined) await this.open()
      else await this.#steps[this.#below(this.#steps.length)]!.call(this, this.#db)
    }
  }

  async open(): Promise<void> {
    const builder = this.#random() < 0.5 ? schemas : laterSchemas
    const durability = this.#random() < 0.5 ? 'full' : 'normal'
    const options = { durability, checksums: this.#checksums } as const
    this.#db = (await this.#attempt('open', () => builder.open(this.#path, options))) as Opened | undefined
    if (this.#db === undefined) return
    await this.#following
    this.#following = this.#follow(this.#db)
  }

  async close(): Promise<void> {
    if (this.#unsynced) return
    const db = this.#db
    this.#db = undefined
    if (db !== undefined) await this.#attempt('close', () => db.close())
  }

  /** Nothing fails any more: the handle works, what it holds is right, and so is a new one. */
  async goOn(): Promise<void> {
    if (this.#db !== undefined) {
      await this.#set('set afterwards', ['afterwards'], this.did.length)
      await this.#assertRight(this.#db)
      await waitUntil('the watcher to see all', () => (this.#seen.at(-1) ?? '') >= this.#versions.at(-1)!)
      assert.deepEqual(this.#seen, this.#seen.toSorted())
      await this.#db.close()
    }
    const file = new Database(this.#path)
    assert.equal(file.pragma('integrity_check', { simple: true }), 'ok')
    file.close()
    this.#db = await laterSchemas.open(this.#path)
    await this.#set('set by a new handle', ['anew'], this.did.length)
    await this.#assertRight(this.#db)
    await this.#assertFeedRight(this.#db)
    assert.deepEqual((await Valkeyrie.verify(this.#path)).findings, [])
  }

  async end(): Promise<void> {
    await this.#db?.close().catch(() => {})
    await this.#following
  }

  /** What the call returns; undefined if it fails with the error that a fault may cause. */
  async #attempt<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    this.did.push(what)
    try {
      return await call()
    } catch (error) {
      const code = what.startsWith('open') ? 'DATABASE_OPEN' : 'STORAGE'
      if (!(error instanceof KvError && error.code === code)) throw error
      if (/FSYNC/.test(error.message)) this.#unsynced = true
      this.did.push(`(${error.message})`)
      this.failures += 1
      return undefined
    }
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end)
  }

  #known(key: Key): unknown {
    return this.#rows.get(JSON.stringify(key))
  }

  /** `versionstamp`: if the call returns it. */
  #committed(rows: Iterable<readonly [key: Key, value: unknown]>, versionstamp?: string | null) {
    if (versionstamp != null) {
      this.#versions.push(versionstamp)
      this.#unsynced = false
    }
    for (const [key, value] of rows) {
      if (value === undefined) this.#rows.delete(JSON.stringify(key))
      else this.#rows.set(JSON.stringify(key), value)
    }
  }

  #people(): [Key, Person][] {
    const people = [...this.#rows].filter(([key]) => key.startsWith('["people"'))
    return people.map(([key, value]) => [JSON.parse(key), value as Person])
  }

  #somebody(): [name: string, value: Person] {
    const name = `p${this.#below(8)}`
    return [name, { email: `${name}@${this.did.length}`, age: this.#below(5) }]
  }

  async #set(what: string, key: Key, value: unknown): Promise<void> {
    const result = await this.#attempt(what, () => this.#db!.set(key, value))
    if (result !== undefined) this.#committed([[key, value]], result.versionstamp)
  }

  readonly #steps: readonly ((this: FaultedWork, db: Opened) => Promise<void>)[] = [
    () => this.#set('set', ['things', this.#below(8)], 'x'.repeat(this.#below(9_000))),
    () => this.#set('set of a long value', ['things', 'long'], 'x'.repeat(this.#below(200_000))),
    async () => {
      const keys = [0, 1, 2, 3].map((n) => ['turn', n])
      await Promise.all(keys.map((key) => this.#set('set in one turn', key, this.did.length)))
    },
    async ({ repositories: { people } }) => {
      const [name, value] = this.#somebody()
      const set = await this.#attempt('people.set', () => people.set(name, value, { expireIn: 3_600_000 }))
      if (set !== undefined) this.#committed([[['people', name], value]], set.versionstamp)
    },
    async ({ repositories: { people } }) => {
      const [name] = this.#somebody()
      const deleted = await this.#attempt('people.delete', () => people.delete(name))
      if (deleted === undefined) return
      assert.equal(deleted, this.#known(['people', name]) !== undefined)
      this.#committed([[['people', name], undefined]])
    },
    async ({ repositories: { people } }) => {
      const [name, { age }] = this.#somebody()
      const known = this.#known(['people', name]) as Person | undefined
      if (known === undefined) return
      const updated = await this.#attempt('people.update', () => people.update(name, { age }))
      if (updated !== undefined)
        this.#committed([[['people', name], { ...known, age }]], updated.versionstamp)
    },
    async (db) => {
      const fill = 'y'.repeat(this.#below(3_000))
      const write = db.atomic().set(['left'], fill).sum(['commits'], 1n).set(['right'], fill)
      const result = await this.#attempt('atomic', () => write.commit())
      if (result === undefined) return
      assert(result.ok)
      const commits = new KvU64(((this.#known(['commits']) as KvU64 | undefined)?.value ?? 0n) + 1n)
      const written = [
        [['left'], fill],
        [['right'], fill],
        [['commits'], commits],
      ] as const
      this.#committed(written as never, result.versionstamp)
    },
    async (db) => {
      const [name, value] = this.#somebody()
      const made = await this.#attempt('unit of work', () =>
        db.unitOfWork(async (unit) => {
          const counted = (((await unit.get(['units'])).value as number | null) ?? 0) + 1
          await unit.set(['units'], counted)
          await unit.repositories.people.set(name, value)
          return counted
        }),
      )
      if (made === undefined) return
      assert.equal(made, ((this.#known(['units']) as number | undefined) ?? 0) + 1)
      this.#committed([
        [['units'], made],
        [['people', name], value],
      ])
    },
    async ({ repositories: { people } }) => {
      const id = `m${this.did.length}-`
      const items = Array.from(
        { length: 1_200 },
        (_, n) => [`${id}${n}`, { email: `${id}${n}`, age: n % 5 }] as const,
      )
      // One commit for each thousand: exactly those that it has reported exist.
      let inserted = 0
      const onProgress = (count: number) => {
        inserted = count
      }
      await this.#attempt('insertMany', () => people.insertMany(items, { onProgress }))
      this.#committed(items.slice(0, inserted).map(([at, row]) => [['people', at], row]))
    },
    async ({ repositories: { people } }) => {
      const [, { age }] = this.#somebody()
      const where = { age }
      const count = await this.#attempt('updateMany', () => people.updateMany({ where, set: { age: 7 } }))
      if (count === undefined) return
      const updated = this.#people().filter(([, row]) => row.age === age)
      this.#committed(updated.map(([key, row]) => [key, { ...row, age: 7 }]))
    },
    async ({ repositories: { people } }) => {
      const [, { age }] = this.#somebody()
      const count = await this.#attempt('deleteMany', () => people.deleteMany({ where: { age } }))
      if (count === undefined) return
      const deleted = this.#people().filter(([, row]) => row.age === age)
      this.#committed(deleted.map(([key]) => [key, undefined]))
    },
    async (db) => {
      if (this.#random() < 0.7) return
      const cleared = await this.#attempt('clear', () => db.clear().then(() => true))
      if (cleared) this.#rows.clear()
    },
    async ({ repositories: { people } }) => {
      const [name, { age }] = this.#somebody()
      const entry = await this.#attempt('get', () => people.get(name))
      if (entry !== undefined) assert.deepEqual(entry.value, this.#known(['people', name]) ?? null)
      const found = await this.#attempt('findMany', () => people.findMany({ where: { age } }))
      const right = this.#people().filter(([, row]) => row.age === age)
      if (found !== undefined) assert.equal(found.length, right.length)
    },
    async (db) => {
      await this.#attempt('read all', () => this.#assertRight(db))
    },
    async (db) => {
      const pair = await this.#attempt('snapshot', () =>
        db.snapshot((view) => view.getMany([['left'], ['right']])),
      )
      if (pair !== undefined) assert.equal(pair[0]!.value, pair[1]!.value)
    },
    async (db) => {
      const reader = db.watch([['left'], ['right']]).getReader()
      const read = await this.#attempt('watch', () => reader.read())
      await reader.cancel().catch(() => {})
      if (read !== undefined) assert.equal(read.value![0].value, read.value![1].value)
    },
    async (db) => {
      await this.#attempt('cleanup', () => db.cleanup())
    },
    async (db) => {
      this.did.push('checkpoint')
      try {
        db.drizzle.$client.pragma(`wal_checkpoint(${this.#random() < 0.5 ? 'TRUNCATE' : 'PASSIVE'})`)
      } catch (error) {
        // Plain Drizzle has the engine's own errors.
        assert.match((error as { code: string }).code, /^SQLITE_/)
      }
    },
    () => this.close(),
    async () => {
      const open = () => laterSchemas.open(this.#path)
      const other = (await this.#attempt('open another', open)) as Opened | undefined
      if (other === undefined) return
      const [name, value] = this.#somebody()
      const set = await this.#attempt('set by another', () => other.repositories.people.set(name, value))
      if (set !== undefined) this.#committed([[['people', name], value]], set.versionstamp)
      await this.#attempt('close another', () => other.close())
    },
  ]

  /** Follows the commits, and starts again after the last one that it has seen if a stream fails. */
  async #follow(db: Opened): Promise<void> {
    this.#seen = []
    while (true) {
      try {
        for await (const { versionstamp } of db.changes({ since: this.#seen.at(-1) ?? beginning })) {
          this.#seen.push(versionstamp)
        }
        return
      } catch (error) {
        if (error instanceof DatabaseClosedError) return
        assert(error instanceof KvError && error.code === 'STORAGE', String(error))
        await new Promise(setImmediate)
      }
    }
  }

  /** Reads all in several ways: by key, by an index. */
  async #assertRight(db: Opened): Promise<void> {
    const rows = new Map<string, unknown>()
    for await (const { key, value } of db.list({ prefix: [] })) rows.set(JSON.stringify(key), value)
    assert.deepEqual(rows, this.#rows)
    const [, { email }] = this.#people()[0] ?? [null, { email: '' }]
    const found = await db.repositories.people.findMany({ where: { email } })
    assert.equal(found.length, email === '' ? 0 : 1)
  }

  /** The log has each acknowledged commit, and its changes in order lead to the current rows. */
  async #assertFeedRight(db: Opened): Promise<void> {
    const keys = new Set<string>()
    const versions = new Set<string>()
    const last = this.#versions.at(-1)!
    for await (const { type, key, versionstamp } of db.changes({
      since: beginning,
    }) as AsyncIterable<Change>) {
      versions.add(versionstamp)
      if (type === 'set') keys.add(JSON.stringify(key))
      else keys.delete(JSON.stringify(key))
      if (versionstamp === last) break
    }
    assert.deepEqual(keys, new Set(this.#rows.keys()))
    assert.deepEqual(this.#versions, this.#versions.toSorted())
    for (const version of this.#versions) assert(versions.has(version), `${version} is in the log`)
  }
}
