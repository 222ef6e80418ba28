import { expect, it } from 'vitest'
import { type CommittedUnit, type Step, violationsOf } from './history.ts'

let last = 0
const unit = (version: number | null, ...steps: Step[]): CommittedUnit => {
  last += 1
  return { name: `unit ${last}`, version: version === null ? null : String(version).padStart(4, '0'), steps }
}
const get = (key: string, seen: string | null): Step => ({ type: 'get', key, seen })
const set = (key: string, value: string): Step => ({ type: 'set', key, value })
const count = (seen: number): Step => ({ type: 'count', start: 'i', end: 'j', seen })
const add = (n: number): Step => ({ type: 'add', key: 'c', n })
const list = (...seen: [string, string][]): Step => {
  return { type: 'list', start: 'i', end: 'j', limit: 10, reverse: false, seen }
}
const initial = unit(1, set('i1', 'a'), set('i2', 'b'))

it('takes a history that is one of units one after the other', () => {
  expect(
    violationsOf([
      initial,
      unit(3, get('i1', 'c'), count(3), add(2), get('c', '2')),
      unit(2, get('i1', 'a'), set('i1', 'c'), set('i3', 'd'), get('i1', 'c')),
      unit(null, list(['i1', 'a'], ['i2', 'b'])),
      unit(null, get('i3', null)),
      unit(null, list(['i1', 'c'], ['i2', 'b'], ['i3', 'd']), get('c', '2')),
      unit(4, { type: 'query', suffix: 'd', seen: ['i3'] }, { type: 'delete', key: 'i3' }, get('i3', null)),
      unit(null, count(2)),
    ]),
  ).toEqual([])
})

it.each([
  ['a lost update', [unit(2, get('i1', 'a'), set('i1', 'c')), unit(3, get('i1', 'a'), set('i1', 'd'))]],
  ['write skew', [unit(2, get('i2', 'b'), set('i1', 'c')), unit(3, get('i1', 'a'), set('i2', 'd'))]],
  ['a phantom', [unit(2, count(2), set('i3', 'c')), unit(3, count(2), set('i4', 'd'))]],
  ['a torn read', [unit(2, set('i1', 'c'), set('i2', 'd')), unit(null, get('i1', 'a'), get('i2', 'd'))]],
  ['a lost addition', [unit(2, add(1)), unit(3, add(1), get('c', '1'))]],
  ['a write of its own that is not seen', [unit(2, set('i1', 'c'), get('i1', 'a'))]],
  ['a range out of order', [unit(2, list(['i2', 'b'], ['i1', 'a']), set('i3', 'c'))]],
  ['a query that misses a row', [unit(null, { type: 'query', suffix: 'b', seen: [] }, get('i1', 'a'))]],
  ['two commits of one version', [unit(2, set('i1', 'c')), unit(2, set('i2', 'd'))]],
] as const)('finds %s', (_, units) => {
  expect(violationsOf([initial, ...units])).toHaveLength(1)
})
