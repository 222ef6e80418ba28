/** The order of texts in every engine: by UTF-8 bytes, which is also the order by code points. */
export function compareText(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    if (a.charCodeAt(i) === b.charCodeAt(i)) continue
    const at =
      i > 0 && (isLow(a.charCodeAt(i)) || isLow(b.charCodeAt(i))) && isHigh(a.charCodeAt(i - 1)) ? i - 1 : i
    return a.codePointAt(at)! - b.codePointAt(at)!
  }
  return a.length - b.length
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000

/**
 * The smallest text after all that begin with this one; `null` if there is none.
 *
 * @example
 * endOfPrefix('ab')   // 'ac'
 */
export function endOfPrefix(text: string): string | null {
  const characters = [...text]
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0)!
    if (code === 0x10ffff) continue
    return characters.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1)
  }
  return null
}
