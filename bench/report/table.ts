import { isTiming, type Outcome } from '../harness/race.ts'
import { formatTiming } from './figures.ts'

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
