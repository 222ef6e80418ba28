import type { Connection } from '../module/sqlite-module.ts'

/** The SQL functions that aggregate bigints, which SQLite has as the texts of their digits: exactly, whatever their size. */
export const bigintFunctions = { sum: 'kv_sum', avg: 'kv_avg', min: 'kv_min', max: 'kv_max' } as const

/** What is none of these digits is not a bigint: a damaged file has it. */
const isDigits = /^-?\d+$/

/** Gives a connection these functions. Each skips what is not a bigint, as null, and is null of nothing else. */
export function registerBigintFunctions(connection: Connection): void {
  const register = (
    name: string,
    add: (running: bigint, value: bigint) => bigint,
    result: (total: bigint, count: number) => string | number = String,
  ) => {
    // The types of the driver take the running total for what is added, too.
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
