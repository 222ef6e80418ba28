import { KvU64, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const stockEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('received'), pieces: z.int().min(1) }),
  z.object({ type: z.literal('shipped'), pieces: z.int().min(1), customer: z.string() }),
])
export type StockEvent = z.infer<typeof stockEvent>
/** What is decided at once: an event at least. */
export type StockEvents = readonly [StockEvent, ...StockEvent[]]

const stock = z.object({ pieces: z.int().min(0) })
/** What there is of a product: all that its events have come to. */
export type Stock = z.infer<typeof stock>

const deliveries = z.object({ shipments: z.int(), pieces: z.int() })
/** What a customer has been sent, of all products. */
export type Deliveries = z.infer<typeof deliveries>

const position = z.object({
  /** Every event up to this versionstamp is dealt with: the point to follow the log from. */
  since: z.string(),
  /** The newest commit that is dealt with, and how many of its events are. */
  commit: z.string(),
  done: z.int(),
})
export type Position = z.infer<typeof position>

const schemas = Valkeyrie.withSchema(['events', '*', '*'], z.object({ event: stockEvent, at: z.date() }))
  .withSchema(['snapshots', '*'], z.object({ version: z.int(), stock }))
  .withSchema(['deliveries', '*'], deliveries)
  .withSchema(['projections', '*'], position)
  .withSchema(['rebuilds', '*'], z.instanceof(KvU64))

/**
 * The events of each product under its name and their numbers, and what is derived from them: snapshots of each product's stock,
 * and the deliveries to each customer.
 */
export type Warehouse = Awaited<ReturnType<typeof openWarehouse>>

export function openWarehouse(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

export const nothing: Stock = { pieces: 0 }

/** The stock after an event. It computes and decides nothing: what has happened can no longer be refused. */
export function applyEvent({ pieces }: Stock, event: StockEvent): Stock {
  return { pieces: event.type === 'received' ? pieces + event.pieces : pieces - event.pieces }
}

export class OutOfStockError extends Error {
  override readonly name = 'OutOfStockError'
}

/** Decides whether an order can be filled. */
export function ship({ pieces }: Stock, ordered: number, customer: string): StockEvents {
  if (pieces < ordered) throw new OutOfStockError(`Out of stock: ${ordered} ordered, ${pieces} there`)
  return [{ type: 'shipped', pieces: ordered, customer }]
}

/** What a customer has been sent after one more shipment. */
export function addDelivery(before: Deliveries | null | undefined, pieces: number): Deliveries {
  return { shipments: (before?.shipments ?? 0) + 1, pieces: (before?.pieces ?? 0) + pieces }
}
