import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(
  ['metrics', '*'],
  z.object({ value: z.number(), unit: z.string(), samples: z.int() }),
).withSchema(['alerts', '*'], z.object({ text: z.string(), at: z.date() }))

/** Metrics by their names, and alerts by the time at which they came. */
export function openMetrics(path: string) {
  return schemas.open(path)
}
