import { Buffer } from 'node:buffer'
import type { Key, KeyPart } from '../contract/key.types.ts'

/**
 * The order of keys: negative if `a` comes first, positive if `b` does, 0 if they are the same key. It compares part by part, first
 * by type (bytes, string, bigint, number, false, true), then by value; a key comes before longer keys that begin with it.
 */
export function compareKeys(a: Key, b: Key): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const order = compareParts(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** The order of two parts; see `compareKeys`. */
export function compareParts(a: KeyPart, b: KeyPart): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  const byType = rank(a) - rank(b)
  if (byType !== 0 || typeof a === 'boolean') return byType
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array)
  if (a < b) return -1
  return a > b ? 1 : 0
}

/** The order of byte strings: byte by byte, unsigned; one comes before longer ones that begin with it. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

function rank(part: KeyPart): number {
  if (typeof part === 'string') return 1
  if (typeof part === 'bigint') return 2
  if (typeof part === 'number') return 3
  if (typeof part === 'boolean') return part ? 5 : 4
  return 0
}

/** Compares code points, as UTF-8 orders text; `<` compares UTF-16 units and puts surrogates before U+E000. */
function compareText(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return scalarRank(x) - scalarRank(y)
  }
  return a.length - b.length
}

/** Moves surrogates, which stand for code points from U+10000 on, above all other units. */
function scalarRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
