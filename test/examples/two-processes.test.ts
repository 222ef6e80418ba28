import { expect, it } from 'vitest'
import { correspond } from '../../examples/two-processes/correspond.ts'
import { openHousehold } from '../../examples/two-processes/household.ts'
import { addBlindly, addWithCheck } from '../../examples/two-processes/shopping-list.ts'
import { newDatabasePath } from '../concurrency/temporary-folder.ts'
import { enginesOf, runExample } from './run-example.ts'

it.each(enginesOf('two-processes'))(
  'two processes see each other write in one order, and lose an item without a check only, on %s',
  async (engine) => {
    const output = await runExample('two-processes', engine)
    expect(output).toBe(
      [
        'Letters: ada, bob, ada, bob … 20 in all',
        'Each has a greater versionstamp than the one before: yes',
        'Both processes saw the same letters in the same order: yes',
        'Tea is on the list, the other adds ink, this one adds salt: tea, salt',
        'The same with a check, in 2 attempts: tea, ink, salt',
        '',
      ].join('\n'),
    )
  },
)

it('two connections correspond, whoever begins', async () => {
  for (const first of ['ada', 'bob']) {
    const path = newDatabasePath()
    await using one = await openHousehold(path)
    await using other = await openHousehold(path)
    const [ada, bob] = await Promise.all([
      correspond(one, 'ada', 7, first === 'ada'),
      correspond(other, 'bob', 7, first === 'bob'),
    ])
    expect(ada).toEqual(bob)
    const second = first === 'ada' ? 'bob' : 'ada'
    expect(ada.map(({ from }) => from)).toEqual([first, second, first, second, first, second, first])
    const versionstamps = ada.map(({ versionstamp }) => versionstamp)
    expect(versionstamps).toEqual([...new Set(versionstamps)].toSorted())
  }
})

it('of writes without a check the last one wins; with one, all stay', async () => {
  const path = newDatabasePath()
  await using one = await openHousehold(path)
  await using other = await openHousehold(path)
  const items = Array.from({ length: 20 }, (_, n) => `item ${n}`)

  await addBlindly(one, 'blind', 'tea', () => other.repositories.lists.set('blind', { items: ['ink'] }))
  expect((await other.repositories.lists.get('blind')).value).toEqual({ items: ['tea'] })

  await Promise.all(items.map((item, n) => addWithCheck(n % 2 === 0 ? one : other, 'checked', item)))
  const { value } = await one.repositories.lists.get('checked')
  expect(value?.items.toSorted()).toEqual(items.toSorted())
})
