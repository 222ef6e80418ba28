import Sqlite from 'better-sqlite3'
import { UniqueConstraintError, Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { copyDatabase } from '../../../src/api/copy-database.ts'
import { repair } from '../../../src/api/diagnosis.ts'
import { describeEngine, describeEngines } from '../../engines.ts'
import { temporaryFolder } from '../../temporary-folder.ts'

const text = z.string()
const schema = z.object({ org: text, user: text, org_user: text, userid: text, userId: text, n: text })
const row = { org: 'o', user: 'u', org_user: 'x', userid: 'i', userId: 'i', n: 'n' }
const together = { on: ['org', 'user'], unique: true } as const
const alone = { on: 'org_user', unique: true } as const
const define = (name: string, ...indexes: { on: string | readonly string[]; unique?: boolean }[]) =>
  defineSchema([name, '*'], schema, { name, indexes } as object)
const newFile = temporaryFolder()

describeEngines('an index whose name another program has taken', (engine) => {
  it('is refused, and built once that one is dropped', async () => {
    const address = engine.newAddress()
    await (await Valkeyrie.withSchemas([define('m', together)]).open(address)).close()
    const next = Valkeyrie.withSchemas([define('m', alone)])
    await expect(next.open(address)).rejects.toThrow(
      expect.objectContaining({
        code: 'MIGRATION',
        message:
          "An index would be called kv_m_org_user_unique, like the one of 'm' on org and user: give a repository or a field another name, or drop that index with dropIndexes",
      }),
    )
    const dropIndexes = [{ repository: 'm', on: together.on }]
    await using db = await next.open(address, { dropIndexes })
    await db.set(['m', 1], row)
    await db.set(['m', 2], { ...row, org_user: 'y' })
    await expect(db.set(['m', 3], row)).rejects.toThrow(UniqueConstraintError)
  })

  it('is refused when a repository gets a name under which it would be another', async () => {
    const address = engine.newAddress()
    await (await Valkeyrie.withSchemas([define('old', { on: 'user' })]).open(address)).close()
    const declared = [
      define('p', { on: 'org_user' }),
      defineSchema(['old', '*'], schema, { name: 'p_org' as string }),
    ]
    const next = Valkeyrie.withSchemas(declared)
    const renameRepositories = { old: 'p_org' }
    await expect(next.open(address, { renameRepositories })).rejects.toThrow(
      /^The index of 'p' on org_user and the index of 'p_org' on user would both be named kv_p_org_user: .*or drop one of them with dropIndexes$/,
    )
    const dropIndexes = [{ repository: 'p_org', on: 'user' }]
    await (await next.open(address, { renameRepositories, dropIndexes })).close()
  })
})

describeEngine('sqlite', 'names that differ only in case', (engine) => {
  it('are one name, whichever program comes first', async () => {
    const address = engine.newAddress()
    const unique = (on: string) => Valkeyrie.withSchemas([define('p', { on, unique: true })])
    await (await unique('userid').open(address)).close()
    await expect(unique('userId').open(address)).rejects.toThrow(
      expect.objectContaining({
        code: 'MIGRATION',
        message:
          "An index would be called kv_p_userId_unique, like the one of 'p' on userid: give a repository or a field another name, or drop that index with dropIndexes",
      }),
    )
    await using db = await unique('userid').open(address)
    await db.set(['p', 1], row)
    await expect(db.set(['p', 2], row)).rejects.toThrow(UniqueConstraintError)
  })

  it('and one index that stands for two, in a file of an earlier release, are no obstacle to its repair', async () => {
    const address = engine.newAddress()
    const declared = define('p', { on: 'userid', unique: true }, { on: 'n' })
    await (await Valkeyrie.withSchemas([declared]).open(address)).close()
    const connection = new Sqlite(address)
    const indexes = JSON.stringify(
      ['userid', 'userId', 'n'].map((field) => ({ fields: [field], unique: field !== 'n' })),
    )
    connection.prepare('UPDATE kv_collections SET indexes = ?').run(indexes)
    connection.exec('DROP INDEX kv_p_n')
    connection.close()
    expect(await repair(address)).toMatchObject({
      built: ['kv_p_n'],
      failed: [expect.stringMatching(/^An index would be called kv_p_userId_unique, like the one of 'p'/)],
    })
    await (await Valkeyrie.withSchemas([declared]).open(address)).close()
    await using known = await Valkeyrie.inspect(address)
    expect(known.repositories).toHaveProperty('p')
  })
})

describeEngine('postgres', 'names that differ only in case', (engine) => {
  it('are two names, which a file cannot have', async () => {
    const from = engine.newAddress()
    const both = Valkeyrie.withSchemas(
      ['users', 'Users'].map((name) => define(name, { on: 'n', unique: true })),
    )
    await (await both.open(from)).close()
    await expect(copyDatabase(from, newFile('copy.db'))).rejects.toThrow(
      /kv_Users_n_unique.* differ only in case/,
    )
  })
})
