import { checkOptionNames, checkWholeNumber } from '../option-names.ts'
import type { ListOptions } from './list-iterator.ts'

const names = ['limit', 'cursor', 'reverse', 'batchSize']

/** Throws a TypeError or RangeError for options that no list has. */
export function checkListOptions(options: ListOptions): void {
  checkOptionNames(options, names, 'list')
  const { limit, batchSize, reverse } = options
  checkWholeNumber(limit, 'limit', 1)
  checkWholeNumber(batchSize, 'batchSize', 1)
  if (reverse !== undefined && typeof reverse !== 'boolean') throw new TypeError('reverse is true or false')
}
