import { z } from 'zod'

/** The accounts of bank.test.ts and its processes, and the schema that they are kept with. */
export const accounts = Array.from({ length: 20 }, (_, index) => `account-${String(index).padStart(2, '0')}`)
export const openingBalance = 100
export const wholeSum = accounts.length * openingBalance
export const accountSchema = [
  ['accounts', '*'],
  z.object({ balance: z.int().min(0) }),
  { name: 'accounts' },
] as const
