/**
 * A hundred transfers at once, over two connections, in two ways: none makes money, and none loses any.
 *
 *     node examples/transfer.ts
 */
import { addressOf } from './address/address-of.ts'
import {
  type Bank,
  openBank,
  type Transfer,
  total,
  transferInUnit,
  transferWithChecks,
} from './transfer/bank.ts'

const path = addressOf('transfer')
await using bank = await openBank(path, { destroyOnClose: true })
await using branch = await openBank(path)
const { accounts } = bank.repositories

const names = ['ada', 'bob', 'cleo']

/** Sends money around: the payer, the payee and the amount follow from `n`. */
function send(transfer: Transfer, connection: Bank, n: number) {
  return transfer(connection, names[n % 3]!, names[(n + 1 + (n % 2)) % 3]!, 10 + (n % 70))
}

for (const transfer of [transferWithChecks, transferInUnit]) {
  for (const name of names) await accounts.set(name, { balance: 100 })
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, n) => send(transfer, n % 2 === 0 ? bank : branch, n)),
  )
  const done = outcomes.filter((outcome) => outcome === 'done').length
  console.log(`${transfer.name}: ${done} done, ${outcomes.length - done} refused for want of money`)
  for await (const { id, value } of accounts.list()) console.log(`  ${id} has ${value.balance}`)
  console.log(`  in all ${await total(bank)}`)
}
