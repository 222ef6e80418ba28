import { ValidationError, Valkeyrie } from 'valkeyrie'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()

async function fileWithOldRow() {
  const file = path()
  await using db = await Valkeyrie.open(file)
  await db.set(['users', 'old'], { name: 'Old' })
  await db.set(['users', 'new'], { name: 'New', age: 1 })
  return file
}

for (const [kind, schema] of [
  ['a synchronous', z.object({ name: z.string(), age: z.int() })],
  ['an asynchronous', z.object({ name: z.string(), age: z.int() }).refine(async () => true)],
] as const) {
  const users = Valkeyrie.withSchema(['users', '*'], schema)

  test(`validateReads holds what is read against ${kind} schema`, async () => {
    await using db = await users.open(await fileWithOldRow(), { validateReads: true })
    const rows = db.repositories.users
    for (const read of [
      () => db.get(['users', 'old']),
      () => db.getMany([['users', 'old']]),
      () => Array.fromAsync(db.list({ prefix: [] }, { reverse: true })),
      () => rows.get('old'),
      () => rows.getMany(['new', 'old']),
      () => Array.fromAsync(rows.list()),
    ]) {
      const error = await read().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ValidationError)
      expect(error).toMatchObject({ key: ['users', 'old'] })
    }
    expect((await rows.get('new')).value).toStrictEqual({ name: 'New', age: 1 })
    expect(await rows.exists('old')).toBe(true)
    expect(await rows.count()).toBe(2)
  })

  test(`without it values are read as they are stored, under ${kind} schema`, async () => {
    await using db = await users.open(await fileWithOldRow())
    expect((await db.repositories.users.get('old')).value).toStrictEqual({ name: 'Old' })
  })
}
