/** A part of a `like` pattern: any text, any character, or a literal character. */
export type PatternPart = '%' | '_' | { readonly character: string }

/** The parts of a pattern; `null` if a backslash at its end escapes nothing. */
export function patternParts(pattern: string): PatternPart[] | null {
  const parts: PatternPart[] = []
  let isEscaped = false
  for (const character of pattern) {
    if (isEscaped) parts.push({ character })
    else if (character === '%' || character === '_') parts.push(character)
    else if (character !== '\\') parts.push({ character })
    isEscaped = !isEscaped && character === '\\'
  }
  return isEscaped ? null : parts
}

/**
 * Whether a text matches a `like` pattern. With `folded`, A to Z and a to z are the same letters. A NUL ends the text, because that
 * is what every engine does.
 *
 * @example
 * matchesLike('Paris', 'P%s', false)   // true
 */
export function matchesLike(text: string, pattern: string, folded: boolean): boolean {
  const fold = folded ? foldCase : (part: string) => part
  const left = [...fold(untilNul(text))]
  const right = patternParts(fold(untilNul(pattern))) ?? []
  let at = 0
  let step = 0
  let star = -1
  let resume = 0
  while (at < left.length) {
    const part = right[step]
    if (part === '%') {
      star = step++
      resume = at
    } else if (part === '_' || (typeof part === 'object' && part.character === left[at])) {
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

/** The text with the letters A to Z in lower case. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** A text up to its first NUL, where `like` ends it. */
export function untilNul(text: string): string {
  const end = text.indexOf('\0')
  return end === -1 ? text : text.slice(0, end)
}
