import fc from 'fast-check'
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

interface Change {
  readonly id: number
  /** Undefined: the key is deleted. */
  readonly value?: unknown
  readonly expireIn?: number
}
interface Step {
  readonly writer: 0 | 1
  /** Atomic writes that are awaited together; of a unit, which reads what it changes, the first alone. */
  readonly writes: readonly (readonly Change[])[]
  readonly isUnit: boolean
}

const value = fc.constantFrom<unknown>('text', { n: 1 }, new Date(0), Uint8Array.of(0, 255), undefined)
const change: fc.Arbitrary<Change> = fc.record(
  { id: fc.nat(3), value, expireIn: fc.constant(1e9) },
  { requiredKeys: ['id', 'value'] },
)
const step: fc.Arbitrary<Step> = fc.record({
  // Mostly the same one, so that no other commits in between.
  writer: fc.constantFrom<0 | 1>(0, 0, 0, 0, 0, 0, 0, 1),
  writes: fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
  isUnit: fc.boolean(),
})
const blind = (...writes: Change[][]): Step => ({ writer: 0, writes, isUnit: false })
const text = (id: number): Change => ({ id, value: 'text' })

test.skipIf(url === '')(
  'whether others come between or not, each commit has the next version, and leaves its rows and a row of the log',
  async () => {
    const schema = newSchema()
    const statements: string[] = []
    const logger = { logQuery: (statement: string) => void statements.push(statement) }
    const dbs = [await openAt(url, schema, { logger }), await openAt(url, schema)] as const
    const admin = await byHand(url)
    const rows = new Map<number, { value: unknown; version: number }>()
    let version = 0

    const carryOut = async ({ writer, writes, isUnit }: Step) => {
      const db = dbs[writer]
      const commits = isUnit ? writes.slice(0, 1) : writes
      const first = version + 1
      for (const changes of commits) {
        version += 1
        for (const { id, value } of changes) {
          if (value === undefined) rows.delete(id)
          else rows.set(id, { value, version })
        }
      }
      if (isUnit) {
        await db.unitOfWork(async (unit) => {
          for (const { id } of commits[0]!) await unit.get([id])
          for (const { id, value, expireIn } of commits[0]!)
            await (value === undefined ? unit.delete([id]) : unit.set([id], value, { expireIn }))
        })
        return
      }
      const outcomes = await Promise.all(
        commits.map((changes) => {
          const atomic = db.atomic()
          for (const { id, value, expireIn } of changes) {
            if (value === undefined) atomic.delete([id])
            else atomic.set([id], value, { expireIn })
          }
          return atomic.commit()
        }),
      )
      const versions = outcomes.map((outcome) => outcome.ok && Number.parseInt(outcome.versionstamp, 16))
      expect(versions).toEqual(commits.map((_, n) => first + n))
    }
    const compare = async () => {
      for (const id of [0, 1, 2, 3]) {
        const { value, versionstamp } = await dbs[0].get([id])
        const row = rows.get(id)
        expect(value).toEqual(row?.value ?? null)
        expect(versionstamp && Number.parseInt(versionstamp, 16)).toBe(row?.version ?? null)
      }
      const { rows: logged } = await admin.query(`select version::int from ${schema}.kv_log order by version`)
      expect(logged.map((row) => row.version)).toEqual(Array.from({ length: version }, (_, n) => n + 1))
    }

    for (let n = 0; n < 5; n++) await carryOut(blind([text(0)]))
    statements.length = 0
    await carryOut(blind([text(1)]))
    await carryOut(blind([text(1), text(2)]))
    await carryOut(blind([text(1)], [text(2)], [text(1)]))
    // On a busy machine, those of one call may be more than one.
    expect(statements.length).toBeLessThanOrEqual(5)
    expect(new Set(statements.map((statement) => statement.slice(0, 'with m as'.length)))).toEqual(
      new Set(['with m as']),
    )
    statements.length = 0
    await carryOut({ ...blind([text(3)]), writer: 1 })
    await carryOut(blind([text(1)]))
    // It has found that it cannot count on that, and has gone the long way.
    expect(statements.map((statement) => statement.includes('kv_commit_1'))).toEqual([false, true])
    await compare()

    const property = fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 16 }), async (steps) => {
      for (const one of steps) await carryOut(one)
      await compare()
    })
    await fc.assert(property, { numRuns: extent('runs', 2, 100) })
  },
)
