import { setOwn } from './set-own.ts'

/** Follows a name. */
const behind = /\s*:/y

/**
 * What `JSON.parse` should return. V8 mistakes a name with an escape for another one if an earlier text makes it expect a name that
 * begins the same way: after `{"\\":1}`, `{"\n":1}` may be read as `{"\\":1}` (Chromium issue 521080746; Node.js 24 and 26). So names
 * with escapes are replaced by numbers for `JSON.parse`, and put back afterwards. Throws a SyntaxError as `JSON.parse` does.
 *
 * @example
 * parseJson('{"\\n":1}') // { '\n': 1 }
 */
export function parseJson(text: string): unknown {
  if (!hasEscapedName(text)) return JSON.parse(text)
  // Random, so that no text can be written to contain it, or to contain every candidate.
  let mark = ''
  while (text.includes(mark)) mark = Math.random().toString(36)
  const { numbered, names } = numberedNames(text, mark)
  return JSON.parse(numbered, (_, value: unknown) =>
    typeof value === 'object' && value !== null && Object.keys(value).some((name) => name.startsWith(mark))
      ? named(value, mark, names)
      : value,
  )
}

/** The text with its names that have escapes replaced by this mark and a number, and these names. */
function numberedNames(text: string, mark: string): { readonly numbered: string; readonly names: string[] } {
  const names: string[] = []
  let numbered = ''
  let done = 0
  let nextEscape = text.indexOf('\\')
  for (let at = text.indexOf('"'); at !== -1; ) {
    const end = endOfText(text, at + 1)
    if (nextEscape < at) nextEscape = text.indexOf('\\', at)
    if (end === -1 || nextEscape === -1) break
    behind.lastIndex = end + 1
    if (nextEscape < end && behind.test(text)) {
      numbered += `${text.slice(done, at)}"${mark}${names.length}"`
      names.push(JSON.parse(text.slice(at, end + 1)) as string)
      done = end + 1
    }
    at = text.indexOf('"', end + 1)
  }
  return { numbered: numbered + text.slice(done), names }
}

/** Jumps from an escape to the end of its string: values with escapes have most of them in long strings. */
function hasEscapedName(text: string): boolean {
  let at = text.indexOf('\\')
  while (at !== -1) {
    const end = endOfText(text, at + 2)
    if (end === -1) return false
    behind.lastIndex = end + 1
    if (behind.test(text)) return true
    at = text.indexOf('\\', end + 1)
  }
  return false
}

/** Where the string ends whose rest begins here, not within an escape; -1 if nowhere, which is not JSON. */
function endOfText(text: string, rest: number): number {
  for (let from = rest; ; ) {
    const quote = text.indexOf('"', from)
    let first = quote
    while (first > from && text[first - 1] === '\\') first--
    if ((quote - first) % 2 === 0) return quote
    from = quote + 1
  }
}

/** The object with its real names instead of numbers, in their order. */
function named(numbered: object, mark: string, names: readonly string[]): object {
  const made = {}
  for (const [name, value] of Object.entries(numbered))
    setOwn(made, name.startsWith(mark) ? names[Number(name.slice(mark.length))]! : name, value)
  return made
}
