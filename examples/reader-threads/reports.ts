import type { Stock } from './stock.ts'

/** The pieces in a warehouse. */
export interface WarehouseTotal {
  readonly warehouse: string
  readonly items: number
  readonly pieces: number
}

/**
 * What a thread can be asked for, by name: a function cannot be sent to it. They read much and answer little, since an
 * answer is copied from thread to thread.
 *
 * Each is one query, so it sees one moment. Two queries see two; a unit of work would see one, and begin again whenever
 * a row that it has read is changed, which is for ever where others write all the time.
 */
export const reports = {
  async byWarehouse({ repositories: { items } }: Stock): Promise<WarehouseTotal[]> {
    const groups = await items.aggregate({ count: true, sum: 'pieces', groupBy: 'warehouse' })
    return groups.map(({ group: { warehouse }, count, sum: { pieces } }) => ({
      warehouse: String(warehouse),
      items: count,
      pieces: Number(pieces),
    }))
  },

  /** The items of which there is least. */
  async scarcest(
    { repositories: { items } }: Stock,
    limit: number,
  ): Promise<[name: string, pieces: number][]> {
    const entries = await items.findMany({ orderBy: { pieces: 'asc', name: 'asc' }, limit })
    return entries.map(({ value }) => [value.name, value.pieces])
  },
}
