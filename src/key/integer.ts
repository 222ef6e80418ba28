import { CorruptKeyError } from '../contract/errors.ts'
import { typeCode } from './type-code.ts'

/** The widest magnitude whose width fits in the type code; a wider one is preceded by a width byte. */
const CODED_WIDTH = 8

/** How many bytes the magnitude of an integer takes: 0 for 0n, 1 up to 255n, 2 up to 65535n. */
export function integerWidth(value: bigint): number {
  if (value === 0n) return 0
  const magnitude = value < 0n ? -value : value
  if (magnitude <= Number.MAX_SAFE_INTEGER) return safeWidth(Number(magnitude))
  return (magnitude.toString(16).length + 1) >> 1
}

function safeWidth(magnitude: number): number {
  let width = 1
  for (let limit = 0x100; magnitude >= limit; limit *= 0x100) width++
  return width
}

/** Writes an integer of this width (`integerWidth`, at most 255) at `start`; returns where it ends. */
export function writeInteger(value: bigint, width: number, bytes: Uint8Array, start: number): number {
  const negative = value < 0n
  let position = start
  if (width <= CODED_WIDTH) {
    bytes[position++] = negative ? typeCode.zero - width : typeCode.zero + width
  } else {
    bytes[position++] = negative ? typeCode.negativeLong : typeCode.positiveLong
    bytes[position++] = negative ? width ^ 0xff : width
  }
  const end = position + width
  const magnitude = negative ? -value : value
  if (width <= 6) writeMagnitude(Number(magnitude), bytes, position, end)
  else {
    const digits = magnitude.toString(16).padStart(2 * width, '0')
    for (let i = 0; i < width; i++) {
      bytes[position + i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)
    }
  }
  // One's complement: the larger the magnitude, the smaller the bytes.
  if (negative) for (let i = position; i < end; i++) bytes[i]! ^= 0xff
  return end
}

function writeMagnitude(magnitude: number, bytes: Uint8Array, start: number, end: number): void {
  let rest = magnitude
  for (let i = end - 1; i >= start; i--) {
    bytes[i] = rest % 0x100
    rest = Math.floor(rest / 0x100)
  }
}

/** How many bytes the integer at `start` takes, including its type code. */
export function encodedIntegerBytes(bytes: Uint8Array, start: number): number {
  const code = bytes[start]!
  if (code !== typeCode.negativeLong && code !== typeCode.positiveLong) {
    return 1 + Math.abs(code - typeCode.zero)
  }
  const width = bytes[start + 1] ?? 0
  return 2 + (code === typeCode.negativeLong ? width ^ 0xff : width)
}

/** The integer in `bytes` from `start` to `end`, which `encodedIntegerBytes` determines. */
export function readInteger(bytes: Uint8Array, start: number, end: number): bigint {
  const code = bytes[start]!
  if (code === typeCode.zero) return 0n
  const long = code === typeCode.negativeLong || code === typeCode.positiveLong
  const first = start + (long ? 2 : 1)
  const width = end - first
  const flip = code < typeCode.zero ? 0xff : 0
  if ((long && width <= CODED_WIDTH) || bytes[first] === flip) {
    throw new CorruptKeyError('an integer is wider than it needs to be')
  }
  let magnitude: bigint
  if (width <= 6) {
    let sum = 0
    for (let i = first; i < end; i++) sum = sum * 0x100 + (bytes[i]! ^ flip)
    magnitude = BigInt(sum)
  } else {
    let digits = '0x'
    for (let i = first; i < end; i++) digits += (bytes[i]! ^ flip).toString(16).padStart(2, '0')
    magnitude = BigInt(digits)
  }
  return flip === 0 ? magnitude : -magnitude
}
