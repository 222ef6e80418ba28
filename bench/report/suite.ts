import type { Contenders } from '../contenders/contenders.ts'
import { isTiming, type Load, type Outcome, type Outcomes, type Racer } from '../harness/race.ts'
import type { TemporaryFolder } from '../harness/temporary-folder.ts'
import type { Bound } from './bound.ts'
import type { Chart } from './chart.ts'
import { formatTiming } from './figures.ts'

/** Something that is measured by itself: what is measured, how the page tells it, and what is promised of it. */
export interface Suite<Measured = unknown> {
  /** Chooses it on the command line. */
  readonly name: string
  /** Its parts that can be chosen by themselves. */
  readonly tasks?: readonly string[]
  measure(run: Run): Promise<Measured>
  report(measured: Measured): readonly Section[]
}

/** A run of the bench, as a suite sees it. */
export interface Run {
  /** For trying out, with too few rounds to rely on. */
  readonly quick: boolean
  readonly contenders: Contenders
  /** For the files of the suite. */
  readonly temporary: TemporaryFolder
  /** Rounds that count, for small values and the queries, and for all else. */
  readonly rounds: number
  readonly fewerRounds: number
  wants(task: string): boolean
  /** Tells what is being measured. */
  step(text: string): void
  race(
    racers: Readonly<Record<string, Racer>>,
    loads: Readonly<Record<string, Load>>,
    rounds: number,
  ): Promise<Outcomes>
}

/** A part of the page, in Markdown, and what is promised of it. */
export interface Section {
  /** Left out where nothing is told but the bounds. */
  readonly title?: string
  /** Paragraphs and tables. */
  readonly blocks?: readonly string[]
  /** Stands behind the blocks. */
  readonly chart?: Chart
  readonly bounds?: readonly Bound[]
}

export const formatSection = ({ title, blocks = [] }: Section): string =>
  [`## ${title}`, ...blocks].join('\n\n')

/** Lets the compiler find out what a suite measures. */
export const suite = <Measured>(it: Suite<Measured>): Suite<Measured> => it

/** Blank where there is none: the contender cannot do it. */
type Cell = string | Outcome | undefined

/** A Markdown table under its head; a line behind it for each contender that has failed says why. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const failures = rows.flatMap((row) =>
    row.flatMap((cell, column) =>
      typeof cell === 'object' && 'failure' in cell
        ? [
            `- ${head[column]} failed at “${row.filter((it) => typeof it === 'string').join(' ')}”: ${cell.failure}`,
          ]
        : [],
    ),
  )
  const texts = [head, ...rows.map((row) => row.map(textOf))]
  const widths = head.map((_, column) => Math.max(3, ...texts.map((row) => row[column]!.length)))
  const [first, ...others] = texts.map(
    (row) => `| ${row.map((text, column) => text.padEnd(widths[column]!)).join(' | ')} |`,
  )
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  const lines = [first, rule, ...others].join('\n')
  return failures.length === 0 ? lines : `${lines}\n\n${failures.join('\n')}`
}

function textOf(cell: Cell): string {
  if (typeof cell !== 'object') return cell ?? ''
  return isTiming(cell) ? formatTiming(cell) : 'failed'
}
