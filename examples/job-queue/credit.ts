import { setTimeout as delay } from 'node:timers/promises'
import type { Handler } from './work.ts'

/** Asks for the money, and then credits it to the account. */
export const credit: Handler = async ({ id, payload, attempt, worker }, signal) => {
  const { account, cents, failures, milliseconds } = payload
  // Whoever tries again finds the answer ready.
  if (attempt === 1) await delay(milliseconds, undefined, { signal })
  if (attempt <= failures) throw new Error(`The bank refuses ${account}`)
  return async ({ repositories: { accounts, receipts } }) => {
    await accounts.sum(account, BigInt(cents))
    await receipts.set(id, { attempt, worker })
  }
}
