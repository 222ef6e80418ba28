import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { cities, countries } from '../../schemas/index.ts'
import { recorder } from './statements.ts'

/** Opens the atlas, and creates it if there is none. */
export function openAtlas(path: string) {
  return Valkeyrie.withSchemas([countries, cities])
    .withSchema(['atlas', 'loaded'], z.object({ countries: z.int(), cities: z.int() }), { name: 'loaded' })
    .open(path, { logger: recorder })
}

export type Atlas = Awaited<ReturnType<typeof openAtlas>>
