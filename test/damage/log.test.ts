import { CorruptLogError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()
const lamps = Valkeyrie.withSchema(['lamps', '*'], z.object({ lit: z.boolean() }))

const rows: Readonly<Record<string, unknown>> = {
  'a length that goes on behind the end': Buffer.from('01ff', 'hex'),
  'a length beyond the end': Buffer.from('01ffffffff0f00', 'hex'),
  'a length of a hundred bytes': Buffer.from(`01${'ff'.repeat(100)}00`, 'hex'),
  'an unknown type': Buffer.from('070100', 'hex'),
  'an unknown encoding': Buffer.from('81010209000000', 'hex'),
  'half a change': Buffer.from('01', 'hex'),
  'a text': 'nonsense',
  'a number': 7,
}

test.each(Object.entries(rows))('a row of the log with %s stops nothing but the feed', async (_, changes) => {
  const file = path()
  await using db = await lamps.open(file)
  await using other = await lamps.open(file)
  const { lamps: repository } = db.repositories
  await repository.set('hall', { lit: false })
  const states = repository.watch('hall').getReader()
  const queries = repository.watchMany({ where: { lit: true } }).getReader()
  const feed = db.changes().getReader()
  const state = async () => (await states.read()).value?.value
  expect(await state()).toEqual({ lit: false })
  expect((await queries.read()).value).toEqual([])
  const begun = Promise.withResolvers<void>()
  const damaged = Promise.withResolvers<void>()
  const unit = db.unitOfWork(async (unit) => {
    const entry = await unit.repositories.lamps.get('hall')
    begun.resolve()
    await damaged.promise
    entry.value!.lit = !entry.value!.lit
    await unit.repositories.lamps.count()
  })
  await begun.promise

  const { versionstamp } = await other.repositories.lamps.set('cellar', { lit: true })
  other.drizzle.$client
    .prepare('UPDATE kv_log SET changes = ? WHERE version = ?')
    .run(changes, Number.parseInt(versionstamp, 16))
  damaged.resolve()
  await unit
  expect(await state()).toEqual({ lit: true })
  for (let ids: unknown[] = []; ids.length < 2; ) {
    ids = (await queries.read()).value!.map(({ id }) => id)
  }
  const error = await feed.read().catch((thrown) => thrown)
  expect(error).toBeInstanceOf(CorruptLogError)
  expect(error).toMatchObject({ code: 'CORRUPT_LOG', version: versionstamp })
  const later = db.changes({ since: error.version }).getReader()
  expect((await later.read()).value).toMatchObject({ key: ['lamps', 'hall'], value: { lit: true } })
  for (const reader of [states, queries, later]) await reader.cancel()
})

test('the feed reports a damaged key in the log, after everything committed before it', async () => {
  await using db = await Valkeyrie.open(path())
  const { versionstamp } = await db.set(['a'], 1)
  db.drizzle.$client.prepare("INSERT INTO kv_log VALUES (2, 0, x'01020261')").run()
  await db.set(['b'], 1)
  const feed = db.changes({ since: '00000000000000000000' }).getReader()
  expect(await feed.read()).toMatchObject({ value: { versionstamp } })
  expect(await feed.read().catch((thrown) => thrown)).toMatchObject({ code: 'CORRUPT_LOG' })
})

test.each(['-10', '9007199254740989', '9007199254740990', '9007199254740991', '9223372036854775807'])(
  'a newest version of %s is a CorruptLogError, and the file works again without that row',
  async (version) => {
    await using db = await Valkeyrie.open(path())
    const { $client } = db.drizzle
    $client.prepare(`INSERT INTO kv_log VALUES (${version}, 0, x'')`).run()
    const error = await db.set(['a'], 1).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(CorruptLogError)
    expect(error.message).toContain('kv_log')
    $client.prepare(`DELETE FROM kv_log WHERE version = ${version}`).run()
    expect((await db.set(['a'], 1)).ok).toBe(true)
  },
)

test('a negative version before others is ignored', async () => {
  await using db = await Valkeyrie.open(path())
  await db.set(['a'], 1)
  db.drizzle.$client.prepare("INSERT INTO kv_log VALUES (-10, 0, x'01ff')").run()
  const feed = db.changes({ since: '0'.repeat(20) }).getReader()
  expect((await feed.read()).value).toMatchObject({ key: ['a'], value: 1 })
  await feed.cancel()
  await db.unitOfWork(async (unit) => {
    expect((await unit.get(['a'])).value).toBe(1)
    await unit.set(['a'], 2)
  })
})
