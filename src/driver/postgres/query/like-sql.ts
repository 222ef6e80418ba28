import { type SQL, sql } from 'drizzle-orm'
import { foldCase, patternParts } from '../../../query/like.ts'
import { operandAt, type Slot } from '../../../query/operand.ts'
import { quoteText } from '../server/sql-text.ts'
import { escapeText, isEscaped } from '../values/json-text.ts'
import { bind } from './binding.ts'

const nul = sql.raw(quoteText(escapeText('\0')))
/** What a word of `escapeText` has after its first character. */
const digits = ['\u0002', '\u0003'] as const
const allDigits = sql.raw(quoteText(digits.join('')))

/**
 * Whether an escaped text matches a `like` pattern. `_` must match an escaped character as one, so words are cut to their first
 * character, which no pattern contains, unless the pattern asks for such a character.
 */
export function likeSql(text: SQL, pattern: Slot<'text'>, folded: boolean): SQL {
  const partsOf = (operands: Parameters<typeof operandAt>[0]) => {
    const given = operandAt(operands, pattern)
    return patternParts(folded ? foldCase(given) : given) ?? []
  }
  const asksForWords = bind((operands) => hasWords(partsOf(operands)), 'boolean')
  const like = bind((operands) => (hasWords(partsOf(operands)) ? '' : likeOf(partsOf(operands))), 'text')
  const regex = bind((operands) => (hasWords(partsOf(operands)) ? regexOf(partsOf(operands)) : ''), 'text')
  const upToNul = sql`split_part(${folded ? sql`lower(${text})` : text}, ${nul}, 1)`
  return sql`CASE WHEN ${asksForWords} THEN ${upToNul} ~ ${regex} ELSE translate(${upToNul}, ${allDigits}, '') LIKE ${like} END`
}

type Parts = NonNullable<ReturnType<typeof patternParts>>

function hasWords(parts: Parts): boolean {
  return parts.some((part) => typeof part === 'object' && isEscaped(part.character))
}

function likeOf(parts: Parts): string {
  return parts
    .map((part) => (typeof part === 'object' ? part.character.replace(/[%_\\]/, '\\$&') : part))
    .join('')
}

/** A pattern as a regular expression over words. */
function regexOf(parts: Parts): string {
  const inner = parts.map((part) => {
    if (part === '%') return '.*'
    if (part === '_') return `[^${digits.join('')}][${digits.join('')}]*`
    return escapeText(part.character).replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
  })
  return `^${inner.join('')}$`
}
