import { type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(
  ['items', '*'],
  z.object({ name: z.string(), warehouse: z.string(), pieces: z.int().min(0) }),
)

/** Items by their numbers, each in one warehouse. */
export type Stock = Awaited<ReturnType<typeof openStock>>

export function openStock(path: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

const piecesEach = 10
const warehouses = 12

/** Fills the warehouses with so many items; how many pieces there are of all. */
export async function fill({ repositories: { items } }: Stock, count: number): Promise<number> {
  await items.insertMany(
    Array.from({ length: count }, (_, id) => {
      const warehouse = `warehouse ${id % warehouses}`
      return [id, { name: `item ${id}`, warehouse, pieces: piecesEach }] as const
    }),
  )
  return count * piecesEach
}

/** Moves a piece of one item to another. How many there are in all remains the same. */
export function move(db: Stock, from: number, to: number): Promise<void> {
  return db.unitOfWork(async ({ repositories: { items } }) => {
    const source = await items.get(from)
    const target = await items.get(to)
    if (source.value === null || target.value === null || source.value.pieces === 0) return
    source.value.pieces -= 1
    target.value.pieces += 1
  })
}
