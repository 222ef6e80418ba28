/**
 * Texts as PostgreSQL keeps them. It has no U+0000 and no lone surrogates, and fails to read any field of a `json` in which one is
 * escaped. They are written as words of characters that it has, and so is every character that these words are made of:
 *
 * | character | word, in hexadecimal |
 * |---|---|
 * | U+0000 to U+0003 | `1` and two digits |
 * | U+D7FF | `D7FF` and the digit 0 |
 * | a lone surrogate, U+D800 to U+DFFF | `D7FF`, the digit 1, and eleven digits: how far it is from U+D800 |
 * | U+10FFFE and U+10FFFF | `10FFFE` and one digit |
 *
 * A digit is binary: U+0002 is 0, U+0003 is 1. Every other character stands for itself. No word begins another, and their order is that of
 * the characters: texts are as they were in order, and in their beginnings. A digit stands nowhere but behind the first character of a
 * word: one text is found in another just where it was. And nothing that is kept comes behind U+10FFFF.
 */
const [zero, one] = ['\u0002', '\u0003'] as const

/** After all stored texts. */
export const behindAllTexts = '\u{10ffff}'

const escapable = new RegExp(`[\0-${one}\ud7ff\\ud800-\\udfff\u{10fffe}\u{10ffff}]`, 'gu')
const digit = `[${zero}${one}]`
const word = new RegExp(`\u0001${digit}{2}|\ud7ff(?:${zero}|${one}${digit}{11})|\u{10fffe}${digit}`, 'gu')

/** A text in the form in which PostgreSQL can store it. */
export function escapeText(text: string): string {
  return text.replace(escapable, escapedCharacter)
}

/** The text with this stored form; anything that is not a word of `escapeText` stays as it is. */
export function unescapeText(kept: string): string {
  return kept.replace(word, characterOf)
}

/** Whether a text has a character that is stored as a word. */
export function isEscaped(text: string): boolean {
  return text.search(escapable) !== -1
}

function escapedCharacter(character: string): string {
  const code = character.codePointAt(0)!
  if (code <= 3) return `\u0001${inDigits(code, 2)}`
  if (code >= 0x10fffe) return `\u{10fffe}${inDigits(code - 0x10fffe, 1)}`
  return code === 0xd7ff ? `\ud7ff${zero}` : `\ud7ff${one}${inDigits(code - 0xd800, 11)}`
}

function characterOf(found: string): string {
  if (found.startsWith('\u0001')) return String.fromCharCode(ofDigits(found.slice(1)))
  if (found.startsWith('\ud7ff'))
    return found.length === 2 ? '\ud7ff' : String.fromCharCode(0xd800 + ofDigits(found.slice(2)))
  return String.fromCodePoint(0x10fffe + ofDigits(found.slice(2)))
}

function inDigits(number: number, length: number): string {
  return Array.from({ length }, (_, i) => ((number >> (length - 1 - i)) & 1 ? one : zero)).join('')
}

function ofDigits(text: string): number {
  return [...text].reduce((number, digit) => number * 2 + (digit === one ? 1 : 0), 0)
}

const escapableInJson = /\\u(?:000[0-3]|d[7-9a-f])|[\ud7ff]|\udbff[\udffe\udfff]/i
const wordInJson = /\\u0001|\\ud7ff|\ud7ff|\udbff\udffe/

/**
 * JSON text in which PostgreSQL can store every string and every name. Two such texts keep their order, also as JSON: what was an
 * escape stays one, and nothing else becomes one.
 *
 * @example
 * escapeJson('{"a":"\\u0000"}')   // '{"a":"\\u0001\\u0002\\u0002"}'
 */
export function escapeJson(json: string): string {
  if (!escapableInJson.test(json)) return json
  return json.replace(
    /\\u(?:d[89ab][0-9a-f]{2}\\u)?d[c-f][0-9a-f]{2}|\\u(?:000[0-3]|d7ff|d[89ab][0-9a-f]{2})|\\.|[\ud7ff\u{10fffe}\u{10ffff}]/giu,
    escapedInJson,
  )
}

const escapedInJson = remembered((found) => {
  if (found.length === 6) {
    const character = String.fromCharCode(Number.parseInt(found.slice(2), 16))
    if (character !== '\ud7ff') return [...escapedCharacter(character)].map(escapeOf).join('')
    return `\ud7ff${escapeOf(zero)}`
  }
  if (found.startsWith('\\')) return found
  const [first, ...rest] = escapedCharacter(found)
  return first + rest.map(escapeOf).join('')
})

/** The JSON text with this stored form. */
export function unescapeJson(kept: string): string {
  if (!wordInJson.test(kept)) return kept
  return kept.replace(/(?:\\u0001|\\ud7ff|\ud7ff|\u{10fffe})(?:\\u000[23])+|\\./gu, unescapedInJson)
}

const unescapedInJson = remembered((found) => {
  if (!found.includes('\\u000')) return found
  const isEscape = found.startsWith('\\')
  const characters = unescapeText(JSON.parse(`"${found}"`) as string)
  return isEscape ? [...characters].map(escapeOf).join('') : characters
})

/** The same text in memory of its own: what is cut out of a long text keeps all of it. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}

/** More than there are words. */
const mostRemembered = 8_192

/** The same function, which makes the result for a word once: a value may hold millions of it. */
function remembered(make: (found: string) => string): (found: string) => string {
  const made = new Map<string, string>()
  return (found) => {
    let result = made.get(found)
    if (result !== undefined) return result
    result = make(found)
    if (made.size < mostRemembered) made.set(copyOf(found), copyOf(result))
    return result
  }
}

/** `\u0000`: a character as JSON escapes it. */
function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
