import fc from 'fast-check'

/** There are no characters in between: they are halves of surrogate pairs. */
const halves = { first: 0xd800, count: 0x800 }

/**
 * A unit of `fc.string`: any character of Unicode. `binary` of fast-check gives the same ones, but lists all million of them in each process,
 * which takes it a second and 180 MB.
 */
export const anyCharacter = fc
  .nat(0x10ffff - halves.count)
  .map((n) => String.fromCodePoint(n < halves.first ? n : n + halves.count), numberOf)

/** The inverse: what is no character is none of what can be made here. */
function numberOf(text: unknown): number {
  const point = typeof text === 'string' ? text.codePointAt(0) : undefined
  if (point === undefined || text !== String.fromCodePoint(point) || !text.isWellFormed())
    throw new TypeError('no character')
  return point < halves.first ? point : point - halves.count
}
