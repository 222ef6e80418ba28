import { type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const reading = z.object({
  id: z.int(),
  sensor: z.string(),
  celsius: z.number().min(-273.15),
  note: z.string(),
})

/** What a thermometer has measured, as it is stored. */
export type Reading = z.infer<typeof reading>

export const schemas = Valkeyrie.withSchema(['readings', '*'], reading)

/** Readings by their numbers. */
export type Readings = Awaited<ReturnType<typeof openReadings>>

export function openReadings(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

/** So many readings, of about 110 bytes each. */
export function someReadings(count: number): Reading[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    sensor: `sensor-${id % 40}`,
    celsius: (id % 600) / 10 - 20,
    note: 'taken in the shade, two metres above the ground',
  }))
}
