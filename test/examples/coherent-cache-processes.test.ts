import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { NotFoundError, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { CoherentCache } from '../../examples/coherent-cache/coherent-cache.ts'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { runFixture } from '../processes/run-fixture.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { type CacheRead, noVersion, type State, violationsOf } from './cache-law.ts'

const path = temporaryFolder()
const writers = 4
const writesEach = 250
const ids = Array.from({ length: 12 }, (_, id) => id)

const schemas = Valkeyrie.withSchema(
  ['rows', '*'],
  z.object({ n: z.string(), list: z.array(z.int()), expiresAt: z.int().nullable() }),
)

/** The version before: other changes of the commit that was reported last may still have to come. */
function before(version: string | null): string {
  return version === null ? noVersion : (BigInt(`0x${version}`) - 1n).toString(16).padStart(20, '0')
}

type Rows = Awaited<ReturnType<typeof schemas.open>>

/** Every state that the rows ever had, according to the log. */
async function historyOf({ repositories: { rows } }: Rows, last: string): Promise<Map<string, State[]>> {
  const history = new Map<string, State[]>(ids.map((id) => [String(id), []]))
  for await (const { id, versionstamp: version, value } of rows.changes({ since: noVersion })) {
    history.get(String(id))?.push({ version, value, expiresAt: value?.expiresAt ?? undefined })
    if (version === last) break
  }
  return history
}

it('while 4 processes write it gives nothing older than what it was told of, and in the end what is stored', async () => {
  const seed = seedOfThisRun()
  const replay = `replay with VALKEYRIE_SEED=${seed}`
  const random = randomOf(seed)
  const some = () => Math.floor(random() * ids.length)
  const file = path()
  await using db = await schemas.open(file, { log: { values: true } })
  const { rows } = db.repositories
  using plain = new CoherentCache(rows, { entries: 8 })
  using expiring = new CoherentCache(rows, { entries: 8, expiring: true })
  const reads: CacheRead[] = []
  const written = new Map<number, string>()

  const read = async (cache: typeof plain, id: number) => {
    const floors = [before(cache.told), written.get(id) ?? noVersion]
    const { versionstamp, value } = await cache.get(id)
    reads.push({ id: String(id), versionstamp, value, floor: floors.sort().at(-1)!, at: Date.now() })
  }
  const write = async (id: number, n: number) => {
    const value = { n: `own-${n}`, list: [n], expiresAt: null }
    const set = () => rows.set(id, value)
    const { versionstamp } = await plain.write([id], () => expiring.write([id], set))
    if (versionstamp > (written.get(id) ?? noVersion)) written.set(id, versionstamp)
  }

  let writing = true
  const othersWrite = Promise.all(
    Array.from({ length: writers }, (_, n) => runFixture('cache-writer', file, seed + n, writesEach)),
  ).finally(() => {
    writing = false
  })
  for (let n = 0; writing; n++) {
    const id = some()
    await Promise.all([
      read(plain, id),
      read(expiring, id),
      random() < 0.1 ? write(some(), n) : read(plain, some()),
      read(expiring, some()),
    ])
    // Now and then it leaves the others time to write.
    await (random() < 0.2 ? delay(1) : nextTurn())
  }
  await othersWrite

  // Nothing expires any more, expired rows are removed, and a last change shows that everything before it was reported.
  for (const id of ids) {
    await rows.touch(id, { expireIn: null }).catch((error) => {
      if (!(error instanceof NotFoundError)) throw error
    })
  }
  await db.cleanup()
  const { versionstamp: last } = await rows.set('last', { n: 'last', list: [], expiresAt: null })
  for (const cache of [plain, expiring]) {
    while ((cache.told ?? noVersion) < last) await nextTurn()
    for (const id of ids) expect(await cache.get(id), replay).toEqual(await rows.get(id))
    const { hits, size } = cache.statistics
    expect(hits, replay).toBeGreaterThan(0)
    expect(size, replay).toBeLessThanOrEqual(8)
  }
  expect(violationsOf(await historyOf(db, last), reads), replay).toEqual([])
  // They have met: without that the run shows nothing.
  expect(new Set(reads.map(({ versionstamp }) => versionstamp)).size, replay).toBeGreaterThan(ids.length)
})
