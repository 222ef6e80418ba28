/** The order of texts by their UTF-8 bytes, which is that of their code points and of SQLite. */
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
