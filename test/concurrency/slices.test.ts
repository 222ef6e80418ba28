import { DatabaseClosedError, Valkeyrie } from 'valkeyrie'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
const count = 6_000

const ids = {
  'text told by its text': (n: number) => `row ${n}`,
  bytes: (n: number) => Uint8Array.of(0, 255, n >> 8, n & 255),
}

async function open(idOf: (n: number) => string | Uint8Array) {
  const db = await Valkeyrie.withSchema(['rows', '*'], z.object({ n: z.int(), text: z.string() }), {
    name: 'rows',
  }).open(path())
  onTestFinished(() => db.close())
  const text = 'x'.repeat(200)
  await db.repositories.rows.insertMany(
    Array.from({ length: count }, (_, n) => [idOf(n), { n, text }] as const),
  )
  return db
}

describe.each(Object.entries(ids))('a query of many rows, with ids that are %s', (_, idOf) => {
  it('is of one state, and others read and write while it is read', async () => {
    const db = await open(idOf)
    const { rows } = db.repositories
    for (let round = 0; round < 3; round++) {
      let reading = true
      const found = rows.findMany({ orderBy: { n: 'desc' } }).finally(() => {
        reading = false
      })
      let written = 0
      while (reading) {
        await rows.set(idOf(written % count), { n: (written % count) + count * (round + 1), text: 'new' })
        expect((await rows.get(idOf(written % count))).value?.text).toBe('new')
        written += 1
        await new Promise((resolve) => setImmediate(resolve))
      }
      const entries = await found
      expect(entries).toHaveLength(count)
      expect(new Set(entries.map(({ id }) => String(id))).size).toBe(count)
      for (let i = 1; i < count; i++) expect(entries[i]!.value.n).toBeLessThanOrEqual(entries[i - 1]!.value.n)
    }
  })

  it('ends with the database, and with its signal', async () => {
    const db = await open(idOf)
    const { rows } = db.repositories
    const controller = new AbortController()
    const aborted = Array.from({ length: 8 }, () => rows.findMany({}, { signal: controller.signal }))
    const settled = Promise.allSettled(aborted)
    setImmediate(() => controller.abort(new Error('enough')))
    for (const outcome of await settled)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ message: 'enough' })
    const closed = Promise.allSettled(Array.from({ length: 8 }, () => rows.findMany()))
    await new Promise((resolve) => setImmediate(resolve))
    await db.close()
    for (const outcome of await closed) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(DatabaseClosedError)
      else expect(outcome.value).toHaveLength(count)
    }
  })
})
