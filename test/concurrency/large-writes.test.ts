import { KeyExistsError, KvU64, UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { OpenTransaction } from '../../src/driver/sqlite/commit/open-transaction.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
const count = 300
const note = z.object({ title: z.string(), mail: z.string(), open: z.boolean() })
const noted = (n: number) => ({ title: `Title ${n}`, mail: `${n}@a`, open: true })
const ids = Array.from({ length: count }, (_, n) => n)

async function openNotes() {
  const db = await Valkeyrie.withSchema(['notes', '*'], note, {
    name: 'notes',
    search: ['title'],
    indexes: [{ on: 'mail', unique: true }],
  })
    .withSchema(['plain', '*'], note, { name: 'plain', search: ['title'] })
    .withSchema(['counters', '*'], z.instanceof(KvU64), { name: 'counters' })
    .open(path())
  onTestFinished(() => db.close())
  const { notes, plain } = db.repositories
  for (const rows of [notes, plain]) await rows.insertMany(ids.map((n) => [n, noted(n)] as const))
  return { db, notes, plain }
}

it('a large write is applied without a mark, which would take longer with each row of a search', async () => {
  const mark = vi.spyOn(OpenTransaction.prototype, 'mark')
  onTestFinished(() => mark.mockRestore())
  const { db, notes, plain } = await openNotes()
  for (const rows of [notes, plain]) {
    await Promise.all([
      db.set(['before'], 1),
      rows.updateMany({ where: {}, set: { open: false } }),
      db.set(['after'], 1),
    ])
    await db.unitOfWork(async (unit) => {
      for (const n of ids) await unit.set([rows === notes ? 'notes' : 'plain', n], noted(n))
    })
    await Promise.all([rows.insert('new', noted(-1)), rows.deleteMany({ where: {} })])
    await rows.insertMany(ids.map((n) => [n, noted(n)] as const))
  }
  expect(mark).not.toHaveBeenCalled()
})

it('a large write that fails halfway leaves nothing of itself, and its neighbours are committed', async () => {
  const { db, notes } = await openNotes()
  const before = await notes.findMany()
  const { versionstamp: since } = await db.set(['mark'], 1)
  const all = (change: (n: number) => Partial<z.infer<typeof note>>) => {
    let atomic = db.atomic()
    for (const n of ids) atomic = atomic.set(['notes', n], { ...noted(n), ...change(n) })
    return atomic
  }
  const [first, violating, inserting, below, other, replacing, last] = await Promise.allSettled([
    db.set(['first'], 1),
    notes.updateMany({ where: {}, set: (one) => ({ ...one, title: 'Changed', mail: one.mail.slice(-3) }) }),
    notes.insertMany([...ids].reverse().map((n) => [n + count - 1, noted(n + 2 * count)] as const)),
    all(() => ({ title: 'Changed' }))
      .sum(['counters', 'none'], -1n)
      .commit(),
    db.set(['other'], 1),
    all((n) => ({ title: 'Changed', mail: n === count - 1 ? '0@b' : `${n}@b` }))
      .delete(['notes', 'x'])
      .set(['notes', 'y'], noted(1))
      .commit(),
    db.set(['last'], 1),
  ])
  expect([first, other, last].map(({ status }) => status)).toEqual(Array(3).fill('fulfilled'))
  expect(violating).toMatchObject({ reason: expect.any(UniqueConstraintError) })
  expect(inserting).toMatchObject({ reason: expect.any(KeyExistsError) })
  expect(below).toMatchObject({ reason: expect.any(RangeError) })
  expect(replacing).toMatchObject({ reason: expect.any(UniqueConstraintError) })
  expect(await notes.findMany()).toEqual(before)
  expect(await notes.count({ where: { $search: 'changed' } })).toBe(0)
  expect(await notes.count({ where: { $search: 'title' } })).toBe(count)
  // Nothing of it is in the log.
  await notes.set('end', noted(-1))
  for await (const { id } of notes.changes({ since })) {
    expect(id).toBe('end')
    break
  }
})

it('a large write with a row that was changed in between is a conflict, and leaves nothing of itself', async () => {
  const { db, plain } = await openNotes()
  const before = await plain.findMany()
  let atomic = db.atomic()
  for (const { key, versionstamp } of before) {
    atomic = atomic.check({ key, versionstamp }).set(key as ['plain', number], noted(-1))
  }
  const { versionstamp } = await plain.set(200, noted(200))
  const conflicts = [{ key: ['plain', 200], expected: before[200]!.versionstamp, actual: versionstamp }]
  expect(await atomic.commit()).toEqual({ ok: false, conflicts })
  expect((await plain.findMany()).map(({ value }) => value)).toEqual(ids.map(noted))
})
