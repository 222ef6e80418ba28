import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openBank, total, transferInUnit, transferWithChecks } from '../../examples/transfer/bank.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { enginesOf, runExample } from './run-example.ts'

const path = temporaryFolder()
const ways = [transferWithChecks, transferInUnit]
const names = ['ada', 'bob', 'cleo'] as const

it.each(enginesOf('transfer'))('neither makes money nor loses any, on %s', async (engine) => {
  const output = await runExample('transfer', engine)
  expect(output.match(/in all 300$/gm)).toHaveLength(2)
  const counts = [...output.matchAll(/(\d+) done, (\d+) refused/g)]
  for (const [, done, refused] of counts) expect(Number(done) + Number(refused)).toBe(100)
})

it('keeps the total whatever is sent at once, in both ways, over two connections', async () => {
  const file = path()
  await using here = await openBank(file)
  await using there = await openBank(file)
  const transfer = fc.record({
    way: fc.constantFrom(...ways),
    bank: fc.constantFrom(here, there),
    from: fc.constantFrom(...names),
    to: fc.constantFrom(...names),
    amount: fc.integer({ min: 1, max: 60 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(transfer, { maxLength: 12 }), async (transfers) => {
      for (const name of names) await here.repositories.accounts.set(name, { balance: 50 })
      const between = transfers.filter(({ from, to }) => from !== to)
      const outcomes = await Promise.all(
        between.map(({ way, bank, from, to, amount }) => way(bank, from, to, amount)),
      )
      expect(await total(there)).toBe(150)
      const expected = Object.fromEntries(names.map((name) => [name, 50]))
      between.forEach(({ from, to, amount }, i) => {
        if (outcomes[i] !== 'done') return
        expected[from]! -= amount
        expected[to]! += amount
      })
      const accounts = await Array.fromAsync(there.repositories.accounts.list())
      expect(Object.fromEntries(accounts.map(({ id, value }) => [id, value.balance]))).toEqual(expected)
    }),
    { numRuns: 30 },
  )
})

it.each(ways)('$name refuses an invalid transfer', async (transfer) => {
  await using bank = await openBank()
  const { accounts } = bank.repositories
  await accounts.insertMany([
    ['ada', { balance: 10 }],
    ['bob', { balance: 0 }],
  ])
  expect(await transfer(bank, 'ada', 'bob', 11)).toBe('too little')
  for (const amount of [0, -5, 0.5, Number.NaN]) {
    await expect(transfer(bank, 'ada', 'bob', amount)).rejects.toThrow(RangeError)
  }
  await expect(transfer(bank, 'ada', 'nobody', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(transfer(bank, 'nobody', 'ada', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await transfer(bank, 'ada', 'ada', 10).catch(() => {})
  expect(await total(bank)).toBe(10)
  expect(await transfer(bank, 'ada', 'bob', 10)).toBe('done')
  expect((await accounts.get('bob')).value).toEqual({ balance: 10 })
})
