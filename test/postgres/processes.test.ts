import { once } from 'node:events'
import type { KvU64 } from 'valkeyrie'
import { expect, test } from 'vitest'
import { type Child, startChild } from '../concurrency/child.ts'
import { extent } from '../extent.ts'
import { waitFor, waitUntil } from '../waiting.ts'
import { byHand, newSchema, openAt } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const writers = 3
const kills = extent('kills of a writer', 6, 100)

test.skipIf(url === '')(
  'writers that are killed in the middle of their batches leave whole ones, in the order of their versions',
  async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const admin = await byHand(url)
    const end = new AbortController()
    const seen: { version: number; key: string }[] = []
    const watching = (async () => {
      for await (const { versionstamp, key } of db.changes({ since: '0'.repeat(20), signal: end.signal }))
        seen.push({ version: Number.parseInt(versionstamp, 16), key: key.join('/') })
    })()
    watching.catch(() => {})
    const acknowledged = new Array<number>(writers).fill(0)
    const start = (writer: number): Child =>
      startChild('postgres/programs/writer.ts', { url, schema, writer })
    const children = Array.from({ length: writers }, (_, writer) => start(writer))

    for (let kill = 0; kill < kills; kill++) {
      const writer = kill % writers
      const child = children[writer]!
      // Each child counts from 1: what it has acknowledged last is what it has written last.
      for (let batch = 0; batch < 3; batch++) acknowledged[writer] = await child.message<number>()
      const ended = once(child.process, 'exit')
      child.process.kill('SIGKILL')
      await waitFor('the end of a writer', ended)
      await assertWhole(db, writer, acknowledged[writer]!)
      children[writer] = start(writer)
    }
    for (const { process } of children) {
      const ended = once(process, 'exit')
      process.kill('SIGKILL')
      await ended
    }

    await db.set(['last'], 1)
    const { rows } = await admin.query(`select version::int from ${schema}.kv_log order by version`)
    const versions = rows.map(({ version }) => version as number)
    expect(versions).toEqual(Array.from({ length: versions.length }, (_, n) => n + 1))
    await Promise.race([watching, waitUntil('the last change', () => seen.at(-1)?.key === 'last')])
    end.abort()
    await watching
    // Each commit once, and none after a later one.
    expect(seen.map(({ version }) => version)).toEqual(
      seen.map(({ version }) => version).toSorted((a, b) => a - b),
    )
    expect(new Set(seen.map(({ version }) => version))).toEqual(new Set(versions))
  },
)

async function assertWhole(
  db: Awaited<ReturnType<typeof openAt>>,
  writer: number,
  acknowledged: number,
): Promise<void> {
  const [blind, a, b] = await db.getMany([
    ['blind', writer],
    ['pair', writer, 'a'],
    ['pair', writer, 'b'],
  ])
  expect(a.value).toBe(b.value)
  expect(blind.value).toBe(a.value)
  expect(Number(a.value)).toBeGreaterThanOrEqual(acknowledged)
  const total = (await db.get(['total', writer])).value as KvU64
  expect(Number(total.value)).toBeGreaterThanOrEqual(acknowledged)
}
