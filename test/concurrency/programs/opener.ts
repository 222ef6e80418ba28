// Opens the database at each path that it is sent, writes one row, and closes it: the processes of opening.test.ts.
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { patient } from '../../waiting.ts'

const { name } = JSON.parse(process.argv[2]!) as { readonly name: string }

process.on('message', async (path: string) => {
  try {
    const db = await Valkeyrie.withSchema(['openers', '*'], z.object({ at: z.number() }), {
      name: 'openers',
      indexes: [{ on: 'at' }],
    }).open(path, patient)
    const { versionstamp } = await db.repositories.openers.insert(name, { at: Date.now() })
    await db.close()
    process.send!({ versionstamp })
  } catch (error) {
    process.send!({ failure: String((error as Error).stack) })
  }
})
process.send!('ready')
