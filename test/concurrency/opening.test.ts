import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { extent } from '../extent.ts'
import { startChild } from './child.ts'
import { temporaryFolder } from './temporary-folder.ts'

interface Opened {
  readonly versionstamp?: string
  readonly failure?: string
}

it('4 processes open the same new file at the same moment, again and again: all succeed', async () => {
  const rounds = extent('new files', 5, 20)
  const folder = temporaryFolder()
  const names = ['a', 'b', 'c', 'd']
  const children = names.map((name) => startChild('concurrency/programs/opener.ts', { name }))
  await Promise.all(children.map((child) => child.message()))
  for (let round = 1; round <= rounds; round++) {
    const path = join(folder, `${round}.db`)
    for (const child of children) child.send(path)
    const opened = await Promise.all(children.map((child) => child.message<Opened>()))
    expect(opened.flatMap(({ failure }) => failure ?? [])).toEqual([])
    expect(new Set(opened.map(({ versionstamp }) => versionstamp)).size).toBe(4)
    const db = await Valkeyrie.open(path)
    const rows = await Array.fromAsync(db.list({ prefix: ['openers'] }))
    expect(rows.map(({ key }) => key[1])).toEqual(names)
    await db.close()
  }
})

it('many calls of one process open the same new file at once', async () => {
  const path = join(temporaryFolder(), 'data.db')
  const databases = await Promise.all(Array.from({ length: 8 }, () => Valkeyrie.open(path)))
  const writes = await Promise.all(databases.map((db, index) => db.set(['opened', index], true)))
  expect(new Set(writes.map(({ versionstamp }) => versionstamp)).size).toBe(8)
  for (const db of databases) await db.close()
})
