import { compareText } from './text-order.ts'

/** Digits as every bigint is stored. */
const isDigits = /^(?:0|-?[1-9]\d*)$/
const [least, greatest] = [-(2n ** 63n), 2n ** 63n - 1n]

/**
 * Orders bigints by what is stored of them, their digits. In a damaged file that may be any text or number: it has the place that SQL
 * gives it, which orders by what such a thing is as an integer first, then by its length, then by itself.
 */
export function compareStoredBigints(a: string | number, b: string | number): number {
  const [one, other] = [String(a), String(b)]
  if (typeof a === typeof b && isDigits.test(one) && isDigits.test(other))
    return compareBigints(BigInt(one), BigInt(other))
  const [isLow, isOtherLow] = [isBelowZero(a), isBelowZero(b)]
  return (
    compareBigints(integerOf(a), integerOf(b)) ||
    length(one, isLow) - length(other, isOtherLow) ||
    Number(isOtherLow) - Number(isLow) ||
    (isLow ? compareText(other, one) : compareText(one, other))
  )
}

export function compareBigints(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What SQL casts it to: the digits that a text begins with, within 64 bits. */
function integerOf(found: string | number): bigint {
  if (found === Infinity || found === -Infinity) return found > 0 ? greatest : least
  const integer =
    typeof found === 'number'
      ? BigInt(Math.trunc(found))
      : BigInt(/^[\t-\r ]*([+-]?\d+)/.exec(found)?.[1] ?? 0)
  return integer < least ? least : integer > greatest ? greatest : integer
}

/** To SQL, a number is below every text. */
function isBelowZero(found: string | number): boolean {
  return typeof found === 'number' || found < '0'
}

function length(text: string, isLow: boolean): number {
  const characters = [...text].length
  return isLow ? -characters : characters
}
