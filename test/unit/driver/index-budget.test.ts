import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()

/** A definition with this many indexes. */
function indexed(name: string, count: number) {
  const fields = Array.from({ length: count }, (_, i) => `f${i}`)
  const schema = z.object(Object.fromEntries(fields.map((field) => [field, z.int()])))
  return defineSchema([name, '*'], schema, { name, indexes: fields.map((on) => ({ on })) as never })
}

it('an opener that declares indexes in a file with too many is warned once', async () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => emitWarning.mockRestore())
  const file = path()
  const open = async (...definitions: readonly ReturnType<typeof indexed>[]) =>
    (await Valkeyrie.withSchemas(definitions).open(file)).close()
  await open(indexed('a', 60), indexed('b', 40))
  expect(emitWarning).not.toHaveBeenCalled()
  await open(indexed('c', 1))
  expect(emitWarning).toHaveBeenCalledOnce()
  const [message, options] = emitWarning.mock.calls[0]! as unknown as [string, Record<string, string>]
  expect(message).toContain('101 indexes')
  expect(options).toMatchObject({ type: 'ManyIndexesWarning', code: 'MANY_INDEXES' })
  expect(JSON.parse(options['detail']!)).toEqual({ count: 101, budget: 100 })
  await open(indexed('c', 1))
  expect(emitWarning).toHaveBeenCalledOnce()
})

it('an opener that declares none, or only reads, cannot change that and is not warned', async () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => emitWarning.mockRestore())
  vi.resetModules()
  const file = path()
  const { Valkeyrie: fresh } = await import('valkeyrie')
  await (await fresh.withSchemas([indexed('a', 100)]).open(file)).close()
  await (await fresh.withSchemas([indexed('b', 100)]).open(file)).close()
  emitWarning.mockClear()
  vi.resetModules()
  const { Valkeyrie: other } = await import('valkeyrie')
  await (await other.open(file)).close()
  await (await other.withSchemas([indexed('a', 100)]).open(file, { readOnly: true })).close()
  expect(emitWarning).not.toHaveBeenCalled()
  await (await other.withSchemas([indexed('a', 100)]).open(file)).close()
  expect(emitWarning).toHaveBeenCalledOnce()
})
