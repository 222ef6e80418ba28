import { Valkeyrie } from 'valkeyrie'
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

/** The database that the processes of a soak share. */
export function openSoaked(path: string) {
  return schemas.open(path, patient)
}
