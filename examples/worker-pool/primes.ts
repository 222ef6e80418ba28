import { KvU64, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(
  ['blocks', '*'],
  z.object({ primes: z.int(), thread: z.int() }),
).withSchema(['totals', '*'], z.instanceof(KvU64))

/** How many primes there are in each block of numbers, by which thread it was counted, and in all. */
export type Primes = Awaited<ReturnType<typeof openPrimes>>

export function openPrimes(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

export const blockSize = 50_000

export function countPrimes(block: number): number {
  let primes = 0
  for (let n = block * blockSize; n < (block + 1) * blockSize; n++) if (isPrime(n)) primes += 1
  return primes
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return n > 1
}

/**
 * Writes what was found in a block and adds it to the total, once: a thread that dies after this commit has told nobody of
 * it, and so the block is counted again.
 */
export async function record(db: Primes, block: number, primes: number, thread: number): Promise<void> {
  const { blocks, totals } = db.repositories
  const key = blocks.key(block)
  await db
    .atomic()
    .check({ key, versionstamp: null })
    .set(key, { primes, thread })
    .sum(totals.key('primes'), BigInt(primes))
    .commit()
}
