import { byHand, upserts } from './by-hand.ts'
import { drizzleAnew } from './drizzle-anew.ts'
import { valkeyrie } from './valkeyrie.ts'

export const serverContenders = [byHand, upserts, drizzleAnew, valkeyrie] as const
