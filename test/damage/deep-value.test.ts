import Database from 'better-sqlite3'
import { CorruptValueError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../temporary-folder.ts'

const newPath = temporaryFolder()
const depth = 100_000

test.each([
  ['arrays', '['.repeat(depth) + ']'.repeat(depth)],
  ['objects', `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`],
])(
  '%s that nobody can have nested so deep fail the unit of work that has read them by name',
  async (_, stored) => {
    const path = newPath()
    const schemas = Valkeyrie.withSchema(['lamps', '*'], z.any())
    await using db = await schemas.open(path)
    const { lamps } = db.repositories
    await lamps.set('deep', 1)
    new Database(path).prepare('UPDATE kv SET value = ?').run(stored)
    const unit = db.unitOfWork(async (unit) => {
      await unit.repositories.lamps.get('deep')
      await unit.set(['other'], 1)
    })
    await expect(unit).rejects.toThrow(CorruptValueError)
    await expect(unit).rejects.toMatchObject({ key: ['lamps', 'deep'] })
    expect((await db.get(['other'])).value).toBeNull()
    // What is of the unit's own making is named as that.
    const own = db.unitOfWork(async (unit) => {
      await unit.repositories.lamps.set('deep', { on: true })
      const { value } = await unit.repositories.lamps.get('deep')
      value.on = () => {}
    })
    await expect(own).rejects.toThrow(TypeError)
  },
)
