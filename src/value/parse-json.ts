import { setOwn } from './set-own.ts'

/** What comes behind a name. */
const behind = /\s*:/y
/** The texts of JSON, each with a colon where it is a name. */
const texts = /"(?:[^"\\]|\\.)*"(?=(\s*:)?)/g

/**
 * What `JSON.parse` has to give. V8 gives a name with an escape as another one, if what it has parsed before makes it expect a name that
 * begins as the text does: after `{"\\":1}`, `{"\n":1}` may read as `{"\\":1}` (Chromium issue 521080746; Node.js 24 and 26). So names with
 * escapes are read apart, in the place of numbers.
 *
 * Throws a SyntaxError as `JSON.parse` does.
 *
 * @example
 * parseJson('{"\\n":1}') // { '\n': 1 }
 */
export function parseJson(text: string): unknown {
  if (!hasEscapedName(text)) return JSON.parse(text)
  // No text can be made to have it, or to have all that it may be.
  let mark = ''
  while (text.includes(mark)) mark = Math.random().toString(36)
  const names: string[] = []
  const numbered = text.replace(texts, (found, colon: string | undefined) => {
    if (colon === undefined || !found.includes('\\')) return found
    names.push(JSON.parse(found) as string)
    return `"${mark}${names.length - 1}"`
  })
  return JSON.parse(numbered, (_, value: unknown) =>
    typeof value === 'object' && value !== null && Object.keys(value).some((name) => name.startsWith(mark))
      ? named(value, mark, names)
      : value,
  )
}

/** It goes from an escape to the end of its text, since values that have escapes have most of them in long texts. */
function hasEscapedName(text: string): boolean {
  let at = text.indexOf('\\')
  while (at !== -1) {
    const end = endOfText(text, at)
    if (end === -1) return false
    behind.lastIndex = end + 1
    if (behind.test(text)) return true
    at = text.indexOf('\\', end + 1)
  }
  return false
}

/** Where the text with an escape at this place ends; -1: nowhere, since it is not JSON. */
function endOfText(text: string, at: number): number {
  for (let from = at + 2; ; ) {
    const quote = text.indexOf('"', from)
    let first = quote
    while (first > from && text[first - 1] === '\\') first--
    if ((quote - first) % 2 === 0) return quote
    from = quote + 1
  }
}

/** An object whose names are what they stand for, in their order. */
function named(numbered: object, mark: string, names: readonly string[]): object {
  const made = {}
  for (const [name, value] of Object.entries(numbered))
    setOwn(made, name.startsWith(mark) ? names[Number(name.slice(mark.length))]! : name, value)
  return made
}
