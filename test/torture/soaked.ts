import { setTimeout as delay } from 'node:timers/promises'
import { ConnectionError, DatabaseOpenError, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { patient } from '../waiting.ts'

const schemas = Valkeyrie.withSchema(['people', '*'], z.object({ email: z.string(), age: z.int() }), {
  indexes: [{ on: 'email', unique: true }, { on: 'age' }],
})
  .withSchema(['accounts', '*'], z.object({ balance: z.int() }))
  .withSchema(['jobs', '*'], z.object({ state: z.enum(['waiting', 'taken']), by: z.string() }), {
    indexes: [{ on: 'state' }],
  })

export type SoakedDatabase = Awaited<ReturnType<typeof openSoaked>>

/** The database that the processes of a soak share. Waits for a server that is down: `open` reports that at once. */
export async function openSoaked(path: string) {
  if (!path.startsWith('postgres')) return schemas.open(path, patient)
  for (;;) {
    try {
      return await schemas.open(path, { ...patient, connectTimeout: 600_000 })
    } catch (error) {
      const isDown = error instanceof DatabaseOpenError || error instanceof ConnectionError
      if (!isDown) throw error
      await delay(50)
    }
  }
}
