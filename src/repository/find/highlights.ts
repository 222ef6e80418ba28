import { type Hit, hitMarks } from '../../driver/driver.ts'
import type { RankedSearch } from '../../query/plan.ts'
import { setOwn } from '../../value/set-own.ts'
import type { Highlights, TextPart } from '../types/query.types.ts'

/** The hits of a search in a row, by the paths of the fields. */
export function highlightsOf({ highlight }: RankedSearch, { texts }: Hit): Highlights {
  const highlights: Record<string, readonly TextPart[] | null> = {}
  for (const [at, { path }] of highlight.entries()) {
    const text = texts[at] ?? null
    setOwn(highlights, path, text === null ? null : partsOf(text))
  }
  return highlights
}

/** The parts of a text with marks around its hits; no part is empty. */
function partsOf(marked: string): TextPart[] {
  const parts: TextPart[] = []
  const add = (text: string, hit: boolean) => {
    if (text !== '') parts.push({ text, hit })
  }
  for (const [at, piece] of marked.split(hitMarks.open).entries()) {
    if (at === 0) {
      add(piece, false)
      continue
    }
    const [hit, rest] = piece.split(hitMarks.close) as [string, string]
    add(hit, true)
    add(rest, false)
  }
  return parts
}
