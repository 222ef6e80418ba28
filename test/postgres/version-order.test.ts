import type { KvU64 } from 'valkeyrie'
import { expect, test } from 'vitest'
import { startChild } from '../concurrency/child.ts'
import { extent } from '../extent.ts'
import { waitUntil } from '../waiting.ts'
import { byHand, newSchema, openAt } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const url = 'url' in server ? server.url : ''
const writers = 8
const rounds = extent('rounds of each writer', 5, 200)

test.skipIf(url === '')(
  `${writers} writing processes: who follows sees each commit once, in the order of versions, and none late`,
  async () => {
    const schema = newSchema()
    const db = await openAt(url, schema)
    const admin = await byHand(url)
    const seen: { version: string; key: string }[] = []
    const counts: number[] = []
    const end = new AbortController()
    const { signal } = end
    const following = Promise.all([
      (async () => {
        for await (const { versionstamp, key } of db.changes({ since: '0'.repeat(20), signal }))
          seen.push({ version: versionstamp, key: key.join('/') })
      })(),
      (async () => {
        for await (const [{ value }] of db.watch([['units']], { signal })) counts.push(Number(value))
      })(),
    ])
    // Awaited below, where it ends before its time as well.
    following.catch(() => {})

    const children = Array.from({ length: writers }, (_, writer) =>
      startChild('postgres/programs/mixed-writer.ts', { url, schema, writer, rounds }),
    )
    await Promise.all(children.map((child) => child.message()))
    for (const child of children) child.send('go')
    await Promise.all(children.map((child) => child.message()))
    // Of another connection than the followers' own writes: nothing but what they are told wakes them.
    const other = await openAt(url, schema)
    await other.set(['last'], 1)
    await Promise.race([following, waitUntil('the last change', () => seen.at(-1)?.key === 'last')])
    await Promise.race([following, waitUntil('the last count', () => counts.at(-1) === writers * rounds)])
    end.abort()
    await following

    const versions = seen.map(({ version }) => version)
    expect(versions).toEqual(versions.toSorted())
    const commits = [...new Set(versions)]
    const { rows } = await admin.query(
      `select version::int, cardinality(keys) as keys from ${schema}.kv_log order by version`,
    )
    // A turn that begins has a version, too, and changes nothing.
    expect(rows.map(({ version }) => version)).toEqual(Array.from(rows, (_, n) => n + 1))
    expect(commits.map((version) => Number.parseInt(version, 16))).toEqual(
      rows.filter(({ keys }) => keys > 0).map(({ version }) => version),
    )
    const each = (...prefix: string[]) =>
      Array.from({ length: writers * rounds }, (_, n) =>
        [...prefix, Math.floor(n / rounds), n % rounds].join('/'),
      )
    const once = [each('alone'), each('together'), each('pair', 'a'), each('pair', 'b'), each('unit'), 'last']
    const ofAll = new Set(['sum', 'units'])
    const keys = seen.map(({ key }) => key)
    expect(keys.filter((key) => !ofAll.has(key)).toSorted()).toEqual(once.flat().toSorted())
    expect(keys.filter((key) => key === 'sum')).toHaveLength(writers * rounds)
    expect(keys.filter((key) => key === 'units')).toHaveLength(writers * rounds)
    expect(counts).toEqual([...new Set(counts)].toSorted((a, b) => a - b))
    const [sum, units] = await db.getMany([['sum'], ['units']])
    expect((sum.value as KvU64).value).toBe(BigInt(writers * rounds))
    expect(units.value).toBe(writers * rounds)
  },
)
