/**
 * Whether a text matches a pattern of `like`: `%` stands for any text, `_` for one character, everything else for
 * itself. Without `caseSensitive` the letters A to Z match theirs of the other case. A NUL ends a text, as in SQLite.
 *
 * @example
 * matchesLike('Paris', 'P%s', true)   // true
 */
export function matchesLike(text: string, pattern: string, caseSensitive: boolean): boolean {
  const fold = caseSensitive ? (part: string) => part : lowerAscii
  const left = [...fold(untilNul(text))]
  const right = [...fold(untilNul(pattern))]
  let at = 0
  let step = 0
  let star = -1
  let resume = 0
  while (at < left.length) {
    if (right[step] === '%') {
      star = step++
      resume = at
    } else if (step < right.length && (right[step] === '_' || right[step] === left[at])) {
      at++
      step++
    } else if (star !== -1) {
      step = star + 1
      at = ++resume
    } else return false
  }
  while (right[step] === '%') step++
  return step === right.length
}

function untilNul(text: string): string {
  const end = text.indexOf('\0')
  return end === -1 ? text : text.slice(0, end)
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
