import {
  authFlowTestSuite,
  caseInsensitiveTestSuite,
  joinsTestSuite,
  normalTestSuite,
  numberIdTestSuite,
  testAdapter,
  transactionsTestSuite,
  uuidTestSuite,
} from '@better-auth/test-utils/adapter'
import type { BetterAuthOptions } from 'better-auth'
import { Valkeyrie } from 'valkeyrie'
import { authAdapter, authSchemas } from 'valkeyrie/better-auth'
import { vi } from 'vitest'
import { newAddress } from '../engine-of-project.ts'
import { inTurn } from '../extent.ts'

// They log each step.
vi.spyOn(console, 'log').mockImplementation(() => {})

let db: Awaited<ReturnType<typeof open>> | undefined

function open(options: BetterAuthOptions) {
  return Valkeyrie.withSchemas(authSchemas(options)).open(newAddress())
}

// The suites that better-auth publishes for adapters. A migration is another database, with the schemas of the options.
const { execute } = await testAdapter({
  adapter: async (options) => {
    db ??= await open(options)
    return authAdapter(db)
  },
  async runMigrations(options) {
    await db?.close()
    db = await open(options)
  },
  tests: [
    normalTestSuite(),
    transactionsTestSuite(),
    authFlowTestSuite(),
    caseInsensitiveTestSuite(),
    // Each has the normal tests again.
    ...inTurn('joins, and kinds of ids', [joinsTestSuite, numberIdTestSuite, uuidTestSuite], 3).map((tests) =>
      tests(),
    ),
  ],
  async onFinish() {
    await db?.close()
  },
})
execute()
