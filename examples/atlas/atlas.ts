import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { cities, countries } from '../../schemas/index.ts'
import { recorder } from './statements.ts'

/** Opens the file of the atlas, and creates it if there is none. */
export function openAtlas(path: string) {
  mkdirSync(dirname(path), { recursive: true })
  return Valkeyrie.withSchemas([countries, cities])
    .withSchema(['atlas', 'loaded'], z.object({ countries: z.int(), cities: z.int() }), { name: 'loaded' })
    .open(path, { logger: recorder })
}

export type Atlas = Awaited<ReturnType<typeof openAtlas>>
