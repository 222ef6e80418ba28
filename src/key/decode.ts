import { Buffer, isUtf8 } from 'node:buffer'
import { CorruptKeyError } from '../contract/errors.ts'
import type { KeyPart } from '../contract/key.types.ts'
import { encodedIntegerBytes, readInteger } from './integer.ts'
import { typeCode } from './type-code.ts'

/**
 * The key behind the bytes of `encodeKey`. Bytes that `encodeKey` writes for no key are a CorruptKeyError, so that
 * encoding the result gives back the same bytes.
 *
 * ```ts
 * decodeKey(encodeKey(['users', 1n])) // ['users', 1n]
 * ```
 */
export function decodeKey(bytes: Uint8Array): KeyPart[] {
  // A damaged file may contain anything instead of a key.
  if (!(bytes instanceof Uint8Array)) throw new CorruptKeyError('it is not bytes')
  if (bytes.length === 0) throw new CorruptKeyError('it is empty')
  const reader = new KeyReader(bytes)
  const parts: KeyPart[] = []
  while (reader.position < bytes.length) parts.push(reader.part())
  return parts
}

class KeyReader {
  position = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  part(): KeyPart {
    const code = this.bytes[this.position]!
    if (code === typeCode.string) return this.string()
    if (code === typeCode.number) return this.number()
    if (code >= typeCode.negativeLong && code <= typeCode.positiveLong) return this.integer()
    if (code === typeCode.bytes) return new Uint8Array(this.unescaped())
    if (code === typeCode.false || code === typeCode.true) {
      this.position++
      return code === typeCode.true
    }
    throw new CorruptKeyError(`no type has the code 0x${code.toString(16).padStart(2, '0')}`)
  }

  private string(): string {
    const { bytes } = this
    const start = this.position + 1
    let end = start
    let seen = 0
    // A byte beyond the end reads as undefined, which ends the loop as 00 does.
    for (let byte = bytes[end]; byte; byte = bytes[++end]) seen |= byte
    if (seen < 0x80 && end < bytes.length && bytes[end + 1] !== 0xff) {
      this.position = end + 1
      if (end - start === 1 && bytes[start] === 0x2a) throw new CorruptKeyError("a part is '*'")
      return asciiText(bytes, start, end)
    }
    const utf8 = this.unescaped()
    if (!isUtf8(utf8)) throw new CorruptKeyError('a string is not UTF-8')
    return utf8.toString('utf8')
  }

  /** The bytes of a string or a byte string, without its type code, its terminator and the FF behind each 00. */
  private unescaped(): Buffer {
    const { bytes } = this
    const start = this.position + 1
    let zeros = 0
    let end = start
    for (; ; end++) {
      end = bytes.indexOf(0, end)
      if (end === -1) throw new CorruptKeyError('it ends within a part')
      if (bytes[end + 1] !== 0xff) break
      zeros++
      end++
    }
    this.position = end + 1
    if (zeros === 0) return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
    const plain = Buffer.allocUnsafe(end - start - zeros)
    for (let from = start, to = 0; from < end; from++) {
      const byte = bytes[from]!
      plain[to++] = byte
      if (byte === 0) from++
    }
    return plain
  }

  private number(): number {
    const end = this.position + 9
    if (end > this.bytes.length) throw new CorruptKeyError('it ends within a number')
    const flip = this.bytes[this.position + 1]! < 0x80 ? 0xff : 0
    for (let i = 0; i < 8; i++) double.setUint8(i, this.bytes[this.position + 1 + i]! ^ flip)
    if (flip === 0) double.setUint8(0, double.getUint8(0) ^ 0x80)
    const value = double.getFloat64(0)
    if (Number.isNaN(value) || Object.is(value, -0)) throw new CorruptKeyError(`a number is ${value}`)
    this.position = end
    return value
  }

  private integer(): bigint {
    const start = this.position
    const end = start + encodedIntegerBytes(this.bytes, start)
    if (end > this.bytes.length) throw new CorruptKeyError('it ends within an integer')
    this.position = end
    return readInteger(this.bytes, start, end)
  }
}

const double = new DataView(new ArrayBuffer(8))

const { latin1Slice } = Buffer.prototype as Buffer & {
  latin1Slice(this: Uint8Array, start: number, end: number): string
}

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end)
}
