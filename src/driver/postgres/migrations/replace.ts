import { randomBytes } from 'node:crypto'
import { withSchema } from '../server/address.ts'
import { quoteName } from '../server/sql-text.ts'
import { createOwn } from '../tables/set-up.ts'
import { takeSchema } from './apply.ts'
import { MigrationSession } from './migration-session.ts'

/** The migrator's `replace`: makes a schema of its own, which gets the name of the old one in one transaction. */
export async function replaceSchema<T>(address: string, make: (address: string) => Promise<T>): Promise<T> {
  const made = `valkeyrie_reset_${randomBytes(6).toString('hex')}`
  const session = await MigrationSession.open(address)
  const { schema, s } = session
  try {
    const result = await make(withSchema(address, made))
    await session.transaction(async (connection) => {
      await takeSchema(connection, schema)
      await connection.execute(`drop schema ${s} cascade; alter schema ${quoteName(made)} rename to ${s}`)
      await createOwn(connection, schema)
      return true
    })
    return result
  } finally {
    const drop = `drop schema if exists ${quoteName(made)} cascade`
    await session.alone((connection) => connection.execute(drop)).finally(() => session.end())
  }
}
