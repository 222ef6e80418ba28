import { KvU64, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const number = z.instanceof(KvU64)
const schemas = Valkeyrie.withSchema(['games', '*'], number)
  .withSchema(['high-scores', '*'], number, { name: 'highScores' })
  .withSchema(['low-prices', '*'], number, { name: 'lowPrices' })

/** How often a game was played, its high score, and the lowest price of a product. */
export type Records = Awaited<ReturnType<typeof openRecords>>

export function openRecords(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

/** One commit, so the number of games and the high score always fit together. */
export async function recordGame(db: Records, game: string, score: bigint): Promise<void> {
  const { games, highScores } = db.repositories
  await db.atomic().sum(games.key(game), 1n).max(highScores.key(game), score).commit()
}

/** The first offer is the lowest so far. Do not begin with 0, as one does with a counter: nothing is lower. */
export async function recordOffer({ repositories: { lowPrices } }: Records, product: string, cents: bigint) {
  await lowPrices.min(product, cents)
}
