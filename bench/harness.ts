import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Does `n` operations; its time is taken until its promise resolves. What it resolves to is called after the clock
 * has stopped: it throws where the answers were wrong, and may make ready for the next round.
 */
export type Task = (n: number) => Promise<() => unknown>

/** One of the implementations that are compared. It works on files of its own, in a folder that is removed at the end. */
export interface Contender<Name extends string = string> {
  readonly name: string
  setup(dir: string): unknown
  readonly tasks: Readonly<Record<Name, Task>>
  teardown(): unknown
}

/** How often a task is measured: `n` operations in each of `rounds` rounds. */
export interface Load {
  readonly n: number
  readonly rounds: number
}

/** What the middle round took, and the middle half of all rounds, in nanoseconds per operation. */
export interface Timing {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** The timings of every task, in the order of the contenders. */
export type Timings<Name extends string> = Readonly<Record<Name, readonly Timing[]>>

/**
 * Runs every task on every contender, in turns: each round runs all contenders one after another, and the next round
 * starts with the next one, so that whatever slows the machine down for a while slows all of them. The first round of
 * each task warms up and does not count.
 */
export async function race<Name extends string>(
  contenders: readonly Contender<Name>[],
  loads: Readonly<Record<Name, Load>>,
): Promise<Timings<Name>> {
  const root = mkdtempSync(join(tmpdir(), 'valkeyrie-bench-'))
  try {
    for (const contender of contenders) await contender.setup(mkdtempSync(join(root, 'contender-')))
    const timings = {} as Record<Name, readonly Timing[]>
    for (const [task, load] of Object.entries(loads) as [Name, Load][]) {
      const samples = contenders.map((): number[] => [])
      for (let round = 0; round <= load.rounds; round++) {
        for (let turn = 0; turn < contenders.length; turn++) {
          const index = (round + turn) % contenders.length
          const taken = await time(contenders[index]!.tasks[task], load.n)
          if (round > 0) samples[index]!.push(taken)
        }
      }
      timings[task] = samples.map(summarize)
    }
    return timings
  } finally {
    for (const contender of contenders) await contender.teardown()
    rmSync(root, { recursive: true, force: true })
  }
}

async function time(task: Task, n: number): Promise<number> {
  globalThis.gc?.()
  const start = process.hrtime.bigint()
  const verify = await task(n)
  const taken = Number(process.hrtime.bigint() - start) / n
  await verify()
  return taken
}

function summarize(samples: readonly number[]): Timing {
  const sorted = samples.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}

function quantile(sorted: readonly number[], fraction: number): number {
  const at = (sorted.length - 1) * fraction
  const below = sorted[Math.floor(at)]!
  const above = sorted[Math.ceil(at)]!
  return below + (above - below) * (at % 1)
}

/** A timing as `3.21 µs (3.10–3.40)`: the median, and the quartiles around it. */
export function formatTiming({ median, low, high }: Timing): string {
  const micros = (nanoseconds: number) => {
    const value = nanoseconds / 1_000
    return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
  }
  return `${micros(median)} µs (${micros(low)}–${micros(high)})`
}

/** A Markdown table; the first row is its head. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  const [head, ...body] = rows.map(line)
  return [head, rule, ...body].join('\n')
}

/** Throws where an answer is not the one expected. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) throw new Error(`${what}: expected ${expected}, got ${actual}`)
}
