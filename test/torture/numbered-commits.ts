import assert from 'node:assert/strict'
import Database from 'better-sqlite3'
import { type KvU64, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const slots = 3
const schemas = Valkeyrie.withSchema(['people', '*'], z.object({ email: z.string(), n: z.int() }), {
  indexes: [{ on: 'email', unique: true }],
})

export type NumberedDatabase = Awaited<ReturnType<typeof openNumbered>>

/** A database whose state after commit n is a function of n. */
export function openNumbered(path: string, durability: 'normal' | 'full' = 'normal') {
  return schemas.open(path, { durability })
}

export async function commitNumber(db: NumberedDatabase, n: number, bytes: number): Promise<void> {
  const result = await db
    .atomic()
    .set(['slots', n % slots], { n, fill: 'x'.repeat(bytes) })
    .set(['newest'], n)
    .sum(['commits'], 1n)
    .set(['people', n % slots], { email: `${n}@home`, n })
    .delete(['people', (n + 1) % slots])
    .commit()
  assert(result.ok)
}

/** Opens what a crash has left, expects the state after one of these commits, and that writes go on. Which one it was. */
export async function expectStateAfter(path: string, least: number, most: number): Promise<number> {
  await using db = await openNumbered(path)
  const file = new Database(path)
  assert.equal(file.pragma('integrity_check', { simple: true }), 'ok')
  file.close()
  const newest = ((await db.get(['newest'])).value as number | null) ?? 0
  assert(newest >= least && newest <= most, `${newest} is newest, and it has to be ${least} to ${most}`)
  const counted = (await db.get(['commits'])).value as KvU64 | null
  assert.equal(Number(counted?.value ?? 0n), newest)
  for await (const { key, value } of db.list({ prefix: ['slots'] })) {
    const slot = key[1] as number
    assert.equal((value as { n: number }).n, newest - ((newest - slot) % slots))
  }
  const { people } = db.repositories
  const there = (await people.findMany({ orderBy: { n: 'asc' } })).map(({ value }) => value.email)
  const last = [newest - 1, newest].filter((n) => n > 0)
  assert.deepEqual(
    there,
    last.map((n) => `${n}@home`),
  )
  for (const n of last) assert.equal(await people.count({ where: { email: `${n}@home` } }), 1)
  const { versionstamp } = await db.set(['writes', 'go on'], true)
  assert.equal(await assertLogLeadsTo(db, versionstamp), newest + 1)
  return newest
}

/** Asserts that the keys that the log has set and not deleted are the existing ones. Returns how many commits it has. */
async function assertLogLeadsTo(db: NumberedDatabase, last: string): Promise<number> {
  const keys = new Set<string>()
  const versions = new Set<string>()
  for await (const { type, key, versionstamp } of db.changes({ since: '0'.repeat(20) })) {
    if (type === 'set') keys.add(JSON.stringify(key))
    else keys.delete(JSON.stringify(key))
    versions.add(versionstamp)
    if (versionstamp === last) break
  }
  const there = await Array.fromAsync(db.list({ prefix: [] }), ({ key }) => JSON.stringify(key))
  assert.deepEqual(keys, new Set(there))
  return versions.size
}
