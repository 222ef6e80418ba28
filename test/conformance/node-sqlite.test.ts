import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { Valkeyrie } from '../../src/index.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { runSuite } from './suite.ts'

// What a process opens first decides by what it reaches SQLite.
await using _ = await Valkeyrie.open(':memory:', { engine: 'node:sqlite' })

runSuite({ name: 'a file by node:sqlite', path: temporaryFolder(), turns: { step: 3, from: 2 } })

test('is what they were run on', async () => {
  await using db = await Valkeyrie.open(':memory:')
  expect(db.drizzle.$client).not.toBeInstanceOf(Database)
})
