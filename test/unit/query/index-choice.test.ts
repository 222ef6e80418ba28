import { expect, it } from 'vitest'
import { chooseIndex, readsAll } from '../../../src/query/index-choice.ts'
import { Planner } from '../../../src/query/planner.ts'

const planner = new Planner({
  name: 'things',
  schema: null,
  indexes: [],
  pattern: ['things', '*'],
  idKinds: [],
})

it.each([
  [{ OR: [{ $id: 1 }, { $id: 2 }] }, false],
  [{ OR: [{ OR: [{ $id: 1 }] }, { $id: 2, name: 'a' }] }, false],
  [{ OR: [{ $id: 1 }, { name: 'a' }] }, true],
  [{ OR: [{ $id: 1 }, { $id: { gt: 2 } }] }, true],
  [{ OR: [{ $id: 1 }, { OR: [] }] }, true],
])('a query for %j reads all rows: %s', (where, all) => {
  const { plan } = planner.find({ where, orderBy: [] }, null)
  expect(readsAll(plan, chooseIndex(plan, plan.order, [], new Set()))).toBe(all)
})
