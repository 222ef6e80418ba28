import type { IndexDeclaration } from '../../../catalog/catalog.ts'
import { pathOfJson } from './table.ts'

/** A declared index, according to the statement that created it. */
export interface IndexText extends IndexDeclaration {
  readonly collection: string
}

/**
 * The declaration of an index of `kv`, read from the statement that created it, however that is quoted and spaced; `null` if
 * `kvTables` cannot declare it. The inverse of `createIndexes`.
 *
 * ```ts
 * readIndexText("CREATE UNIQUE INDEX `a` ON `kv` (value ->> '$.b') WHERE collection = 'c'")
 * // { collection: 'c', fields: ['b'], unique: true }
 * ```
 */
export function readIndexText(statement: string): IndexText | null {
  // Most files only have their own two indexes, which contain no field.
  if (!statement.includes('->>')) return null
  const tokens = tokensOf(statement)
  let at = 0
  const next = (type: Token['type'], text?: string): string | null => {
    const token = tokens[at]
    if (token?.type !== type || (text !== undefined && token.text.toLowerCase() !== text)) return null
    at += 1
    return token.text
  }
  const all = (...expected: (readonly [Token['type'], string?])[]) =>
    expected.every(([type, text]) => next(type, text) !== null)

  const fieldOf = (): string | null => {
    if (!all(['word', 'value'], ['sign', '->>'])) return null
    const path = next('text')
    return path === null ? null : pathOfJson(path)
  }

  if (!all(['word', 'create'])) return null
  const unique = next('word', 'unique') !== null
  if (!all(['word', 'index'])) return null
  if (next('word', 'if') !== null && !all(['word', 'not'], ['word', 'exists'])) return null
  if (!all(['name'], ['word', 'on'], ['name', 'kv'], ['sign', '('])) return null
  const fields: string[] = []
  do {
    // With the key after the fields, rows with equal fields have an order.
    if (fields.length > 0 && !unique && next('name', 'key') !== null) break
    const cast = next('word', 'cast') !== null
    if (cast && next('sign', '(') === null) return null
    const field = fieldOf()
    if (field === null) return null
    // For a bigint, its integer comes before its digits.
    const isEnded = !cast || all(['word', 'as'], ['word', 'integer'], ['sign', ')'], ['sign', ','])
    if (!isEnded || (cast && fieldOf() !== field)) return null
    fields.push(field)
  } while (next('sign', ',') !== null)
  if (!all(['sign', ')'], ['word', 'where'], ['word', 'collection'], ['sign', '='])) return null
  const collection = next('text')
  return collection === null || at < tokens.length ? null : { collection, fields, unique }
}

/** Whether an index keeps bigints in order, according to the statement that created it. */
export function holdsBigints(statement: string): boolean {
  return tokensOf(statement).some(({ type, text }) => type === 'word' && text.toLowerCase() === 'cast')
}

/** Whether two statements are the same, apart from quotes and spaces. */
export function sameStatement(a: string, b: string): boolean {
  if (asKept(a) === asKept(b)) return true
  const [tokens, others] = [withoutCondition(tokensOf(a)), withoutCondition(tokensOf(b))]
  return (
    tokens.length === others.length &&
    tokens.every(({ type, text }, i) => type === others[i]!.type && text === others[i]!.text)
  )
}

/** Our form of a statement, as the engine stores it. */
function asKept(statement: string): string {
  return statement.replace(/^(CREATE (?:UNIQUE )?INDEX )IF NOT EXISTS /, '$1')
}

/** Without `IF NOT EXISTS`, which the engine does not store. */
function withoutCondition(tokens: readonly Token[]): readonly Token[] {
  const at = tokens.findIndex(({ type, text }) => type === 'word' && text === 'IF')
  return at === -1 ? tokens : tokens.toSpliced(at, 3)
}

interface Token {
  readonly type: 'word' | 'name' | 'text' | 'sign' | 'unknown'
  readonly text: string
}

const quotes: Record<string, Token['type']> = { '"': 'name', '`': 'name', "'": 'text' }
const signs = ['->>', '(', ')', ',', '=']

function tokensOf(statement: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < statement.length; ) {
    const character = statement[at]!
    const quoted = quotes[character]
    const sign = signs.find((it) => statement.startsWith(it, at))
    if (character.trim() === '' || (character === ';' && statement.slice(at + 1).trim() === '')) {
      at += 1
    } else if (quoted !== undefined) {
      const end = endOfQuoted(statement, at)
      const text = statement.slice(at + 1, end).replaceAll(character + character, character)
      tokens.push({ type: end < statement.length ? quoted : 'unknown', text })
      at = end + 1
    } else if (sign !== undefined) {
      tokens.push({ type: 'sign', text: sign })
      at += sign.length
    } else {
      const end = endOfWord(statement, at)
      tokens.push(
        end === at ? { type: 'unknown', text: character } : { type: 'word', text: statement.slice(at, end) },
      )
      at = Math.max(end, at + 1)
    }
  }
  return tokens
}

/** The place of the closing quote of what begins at `start`; a doubled quote stands for itself. */
function endOfQuoted(statement: string, start: number): number {
  const quote = statement[start]!
  for (let at = start + 1; at < statement.length; at++) {
    if (statement[at] !== quote) continue
    if (statement[at + 1] !== quote) return at
    at += 1
  }
  return statement.length
}

function endOfWord(statement: string, start: number): number {
  let end = start
  while (end < statement.length && isLetter(statement[end]!)) end += 1
  return end
}

function isLetter(character: string): boolean {
  return character === '_' || character.toLowerCase() !== character.toUpperCase()
}
