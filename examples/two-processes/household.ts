import { type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(['lists', '*'], z.object({ items: z.array(z.string()) })).withSchema(
  ['letters', '*'],
  z.object({ from: z.string() }),
)

/** Shopping lists by name, and letters by number. */
export type Household = Awaited<ReturnType<typeof openHousehold>>

export function openHousehold(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}
