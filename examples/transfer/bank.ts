import { NotFoundError, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(['accounts', '*'], z.object({ balance: z.int().min(0) }))

/** Accounts by their names. */
export type Bank = Awaited<ReturnType<typeof openBank>>
export type Outcome = 'done' | 'too little'
export type Transfer = (bank: Bank, from: string, to: string, amount: number) => Promise<Outcome>

export function openBank(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

/** Moves money by an atomic operation: it commits only if neither account has changed since it was read. */
export const transferWithChecks: Transfer = async (bank, from, to, amount) => {
  checkAmount(amount)
  // Two balances would be computed from one, and the later of the two writes would make money.
  if (from === to) throw new RangeError('From one account to another')
  const { accounts } = bank.repositories
  for (;;) {
    const [payer, payee] = await bank.getMany([accounts.key(from), accounts.key(to)])
    if (payer.value === null) throw new NotFoundError(payer.key)
    if (payee.value === null) throw new NotFoundError(payee.key)
    if (payer.value.balance < amount) return 'too little'

    const result = await bank
      .atomic()
      .check(payer, payee)
      .set(payer.key, { balance: payer.value.balance - amount })
      .set(payee.key, { balance: payee.value.balance + amount })
      .commit()
    if (result.ok) return 'done'
  }
}

/**
 * The same as a unit of work: what it reads is checked, what it changes is written, and after a conflict it runs again by
 * itself, after a random wait. Read twice, an account is one object, so a transfer to itself changes nothing.
 */
export const transferInUnit: Transfer = (bank, from, to, amount) =>
  bank.unitOfWork(async ({ repositories: { accounts } }) => {
    checkAmount(amount)
    const payer = await accounts.get(from)
    const payee = await accounts.get(to)
    if (payer.value === null) throw new NotFoundError(payer.key)
    if (payee.value === null) throw new NotFoundError(payee.key)
    if (payer.value.balance < amount) return 'too little'

    payer.value.balance -= amount
    payee.value.balance += amount
    return 'done'
  })

/** What all accounts hold together: transfers do not change it. */
export async function total(bank: Bank): Promise<number> {
  const { sum } = await bank.repositories.accounts.aggregate({ sum: 'balance' })
  return sum.balance ?? 0
}

/** A negative amount would take money from the payee, without asking whether it is there. */
function checkAmount(amount: number): void {
  if (!Number.isSafeInteger(amount) || amount <= 0)
    throw new RangeError('An amount is a whole number above 0')
}
