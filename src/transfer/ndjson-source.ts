import { maxDepth } from '../value/bounds.ts'
import { parseJson } from '../value/parse-json.ts'
import { fileText, type SourceFile } from './file-text.ts'
import { hasTooLarge, isDeeper, parseRowLine } from './row-line.ts'
import type { Source } from './source-row.ts'

/** The rows of a file written by `export`, or of a file of refused rows. */
export async function* ndjsonSource(file: SourceFile): Source & AsyncGenerator {
  let line = 0
  for await (const text of linesOf(file)) {
    line += 1
    if (text.trim() === '') continue
    let row: unknown
    try {
      row = parsed(text)
    } catch (error) {
      yield { error: (error as Error).message, shown: { line, text } }
      continue
    }
    try {
      yield parseRowLine(row)
    } catch (error) {
      // Written as JSON again, a far deeper row would overflow the stack, and a number that is too large would be null.
      const shown = isRow(row) && !isDeeper(row, 3 * maxDepth) && !hasTooLarge(row) ? row : { line, text }
      yield { error: (error as Error).message, shown }
    }
  }
}

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** In a file of refused rows, a line that was not JSON is a text. */
function parsed(text: string): unknown {
  const value = parseJson(text)
  const isKept = isRow(value) && typeof value['text'] === 'string' && !('key' in value)
  return isKept ? parseJson(value['text'] as string) : value
}

/** Lines end only at a line feed: JSON may contain the other line ends. */
async function* linesOf(file: SourceFile): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of fileText(file)) {
    const lines = piece.split('\n')
    if (lines.length === 1) {
      rest += piece
      continue
    }
    yield rest + lines[0]!
    yield* lines.slice(1, -1)
    rest = lines.at(-1)!
  }
  if (rest !== '') yield rest
}
