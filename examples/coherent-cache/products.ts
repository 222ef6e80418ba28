import { type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const product = z.object({
  name: z.string(),
  cents: z.int(),
  /** When the price was changed, by the clock that all processes of the machine share, in milliseconds. */
  changedAt: z.number(),
  /** Where there is one, the row has a part that cannot be frozen. */
  until: z.date().optional(),
  variants: z.array(z.object({ size: z.string(), stock: z.int(), note: z.string() })),
})

const schemas = Valkeyrie.withSchema(['products', '*'], product)

/** Opens products by their numbers. */
export function openProducts(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

/** Milliseconds by a clock that is the same in all processes, and never set. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** A product with so many variants; each takes about 70 bytes. */
export function someProduct(name: string, variants: number): z.input<typeof product> {
  return {
    name,
    cents: 1_000,
    changedAt: 0,
    variants: Array.from({ length: variants }, (_, n) => ({
      size: `size ${n}`,
      stock: n,
      note: 'packed by the dozen, in a box',
    })),
  }
}
