import { test } from 'vitest'
import { expectSerializable } from '../concurrency/random-units.ts'
import { extent } from '../extent.ts'
import { newSchema } from './database.ts'
import { serverOfRun } from './server-of-run.ts'

const server = await serverOfRun()
const processes = 4
const { VALKEYRIE_UNITS } = process.env
const units = VALKEYRIE_UNITS ? Number(VALKEYRIE_UNITS) : extent('random units of work', 120, 10_000)

test.skipIf('obstacle' in server)(
  `${units} random units of work in ${processes} processes see on a server what some serial order gives`,
  () => {
    const { url } = server as { readonly url: string }
    return expectSerializable(url, { units, processes, options: { schema: newSchema() } })
  },
)
