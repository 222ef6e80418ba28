import { ArgumentRangeError } from '../arguments/argument-error.ts'
import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { checkBoolean, checkWholeNumber } from '../arguments/option-values.ts'
import type { ListOptions } from './list-iterator.ts'

export const listOptionNames = ['limit', 'cursor', 'reverse', 'batchSize', 'signal']

/** Throws a TypeError or RangeError for an option that the list of a repository does not have. */
export function checkListOptions(options: ListOptions): void {
  checkOptionNames(options, listOptionNames, 'list')
  checkListValues(options)
}

/** Throws a TypeError or RangeError for an invalid value of an option. The cursor is checked when it is used. */
export function checkListValues(options: ListOptions): void {
  checkSignal(options, 'list')
  const { limit, batchSize, reverse } = options
  try {
    checkWholeNumber(limit, 'limit', 1)
  } catch (error) {
    throw new ArgumentRangeError((error as RangeError).message)
  }
  checkWholeNumber(batchSize, 'batchSize', 1)
  checkBoolean(reverse, 'reverse')
}
