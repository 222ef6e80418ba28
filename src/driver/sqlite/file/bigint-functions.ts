import type { Connection } from '../module/sqlite-module.ts'

/** The SQL functions that aggregate bigints exactly, whatever their size. To SQLite they are texts of digits. */
export const bigintFunctions = { sum: 'kv_sum', avg: 'kv_avg', min: 'kv_min', max: 'kv_max' } as const

/** Anything else comes from a damaged file. */
const isDigits = /^-?\d+$/

/**
 * Registers these functions on a connection. Each ignores null, and anything else that is not a bigint, and returns null if nothing
 * is left.
 */
export function registerBigintFunctions(connection: Connection): void {
  const register = (
    name: string,
    add: (running: bigint, value: bigint) => bigint,
    result: (total: bigint, count: number) => string | number = String,
  ) => {
    // In the driver's types, a value to add may also be the running total.
    const options: Parameters<typeof connection.aggregate<unknown>>[1] = {
      directOnly: true,
      deterministic: true,
      start: (): Running => ({ total: null, count: 0 }),
      step: (running, digits) =>
        typeof digits === 'string' && isDigits.test(digits) ? next(running as Running, digits) : running,
      result: (running) => {
        const { total, count } = running as Running
        return total === null ? null : result(total, count)
      },
    }
    const next = ({ total, count }: Running, digits: string): Running => {
      const value = BigInt(digits)
      return { total: total === null ? value : add(total, value), count: count + 1 }
    }
    connection.aggregate(name, options)
  }
  register(bigintFunctions.sum, (sum, value) => sum + value)
  register(bigintFunctions.avg, (sum, value) => sum + value, average)
  register(
    bigintFunctions.min,
    (
      least,
      value, // biome-ignore lint/complexity/useMathMinMax: Math.min takes no bigint
    ) => (value < least ? value : least),
  )
  register(
    bigintFunctions.max,
    (
      greatest,
      value, // biome-ignore lint/complexity/useMathMinMax: Math.max takes no bigint
    ) => (value > greatest ? value : greatest),
  )
}

interface Running {
  readonly total: bigint | null
  readonly count: number
}

function average(sum: bigint, count: number): number {
  const all = BigInt(count)
  return Number(sum / all) + Number(sum % all) / count
}
