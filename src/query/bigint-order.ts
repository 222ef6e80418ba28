import { compareText } from './text-order.ts'

/** The digits of a bigint, as they are stored. */
export const isDigits = /^(?:0|-?[1-9]\d*)$/
const [least, greatest] = [-(2n ** 63n), 2n ** 63n - 1n]

/**
 * Orders bigints by their stored digits. In a damaged file there may be any text or number instead, which gets the same place as in
 * SQL: SQL orders by the value as an integer, then by length, then by the value itself.
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

/** What SQL casts it to: the leading digits of a text, within 64 bits. */
function integerOf(found: string | number): bigint {
  if (found === Infinity || found === -Infinity) return found > 0 ? greatest : least
  const integer =
    typeof found === 'number'
      ? BigInt(Math.trunc(found))
      : BigInt(/^[\t-\r ]*([+-]?\d+)/.exec(found)?.[1] ?? 0)
  return integer < least ? least : integer > greatest ? greatest : integer
}

/** In SQL, a number is less than every text. */
function isBelowZero(found: string | number): boolean {
  return typeof found === 'number' || found < '0'
}

function length(text: string, isLow: boolean): number {
  const characters = [...text].length
  return isLow ? -characters : characters
}
