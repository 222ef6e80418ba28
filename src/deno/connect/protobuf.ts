import { Buffer } from 'node:buffer'

// The part of the encoding of Protocol Buffers (proto3) that KV Connect needs: numbers, flags, bytes, messages, and lists.

type Kind = 'number' | 'bool' | 'bytes' | Message<Fields>

/** A field of a message: its number in the format, its kind, and whether it is a list. */
export interface Field {
  readonly number: number
  readonly kind: Kind
  readonly list: boolean
}

type Fields = Readonly<Record<string, Field>>

/** The fields of a message by their names. */
export interface Message<F extends Fields> {
  readonly fields: F
}

type Held<K> = K extends 'number'
  ? number
  : K extends 'bool'
    ? boolean
    : K extends 'bytes'
      ? Uint8Array
      : K extends Message<infer F>
        ? Decoded<F>
        : never

type ValueOf<F> = F extends { readonly kind: infer K; readonly list: infer L }
  ? L extends true
    ? readonly Held<K>[]
    : K extends Message<Fields>
      ? Held<K> | null
      : Held<K>
  : never

/** The content of a message. A missing field is 0, false, empty or, for a message, null. */
export type Decoded<F> = { readonly [Name in keyof F]: ValueOf<F[Name]> }

export function message<const F extends Fields>(fields: F): Message<F> {
  return { fields }
}

export function one<const N extends number, const K extends Kind>(number: N, kind: K) {
  return { number, kind, list: false } as const
}

export function many<const N extends number, const K extends Kind>(number: N, kind: K) {
  return { number, kind, list: true } as const
}

const wire = { number: 0, eightBytes: 1, bytes: 2, fourBytes: 5 } as const

/** Throws a TypeError for bytes that are not such a message. */
export function decode<F extends Fields>({ fields }: Message<F>, bytes: Uint8Array): Decoded<F> {
  const names = new Map(Object.entries(fields).map(([name, field]) => [field.number, [name, field] as const]))
  const decoded: Record<string, unknown> = {}
  for (const [name, { kind, list }] of Object.entries(fields)) decoded[name] = list ? [] : absent(kind)
  const reader = new Reader(bytes)
  while (!reader.isAtEnd) {
    const { number, held } = reader.field()
    const [name, field] = names.get(number) ?? []
    if (field === undefined) continue
    const values = valuesOf(field, held)
    if (field.list) for (const value of values) (decoded[name!] as unknown[]).push(value)
    else decoded[name!] = values.at(-1)
  }
  return decoded as Decoded<F>
}

function absent(kind: Kind): unknown {
  if (kind === 'number') return 0
  if (kind === 'bool') return false
  return kind === 'bytes' ? new Uint8Array() : null
}

function valuesOf({ kind, list }: Field, held: number | Uint8Array): unknown[] {
  if (kind === 'number' && list && typeof held !== 'number') return packed(held)
  if ((kind === 'number' || kind === 'bool') !== (typeof held === 'number')) throw malformed()
  if (kind === 'bool') return [held !== 0]
  return [typeof kind === 'object' ? decode(kind, held as Uint8Array) : held]
}

function packed(bytes: Uint8Array): number[] {
  const reader = new Reader(bytes)
  const numbers: number[] = []
  while (!reader.isAtEnd) numbers.push(reader.varint())
  return numbers
}

class Reader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    // A slice of a Buffer would be a Buffer, too.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length
  }

  field(): { readonly number: number; readonly held: number | Uint8Array } {
    const tag = this.varint()
    const number = Math.floor(tag / 8)
    const type = tag % 8
    if (type === wire.number) return { number, held: this.varint() }
    if (type === wire.bytes) return { number, held: this.#take(this.varint()) }
    if (type === wire.fourBytes) return { number, held: this.#take(4) }
    if (type === wire.eightBytes) return { number, held: this.#take(8) }
    throw malformed()
  }

  /** A signed number of up to 64 bits; beyond 2^53 the nearest number. */
  varint(): number {
    let bits = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#take(1)[0]!
      bits |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, bits))
    }
    throw malformed()
  }

  #take(length: number): Uint8Array {
    const end = this.#position + length
    if (!(length >= 0 && end <= this.#bytes.length)) throw malformed()
    const taken = this.#bytes.subarray(this.#position, end)
    this.#position = end
    return taken
  }
}

function malformed(): TypeError {
  return new TypeError('The body is not a message of the protocol')
}

/** The bytes of a message. */
export function encode<F extends Fields>({ fields }: Message<F>, values: Partial<Decoded<F>>): Uint8Array {
  const parts: Uint8Array[] = []
  for (const [name, { number, kind, list }] of Object.entries(fields)) {
    const value = (values as Record<string, unknown>)[name]
    for (const held of list ? ((value ?? []) as unknown[]) : isAbsent(value) ? [] : [value]) {
      if (typeof held === 'number' || typeof held === 'boolean')
        parts.push(varint(8 * number + wire.number), varint(Number(held)))
      else {
        const bytes =
          typeof kind === 'object' ? encode(kind, held as Partial<Decoded<Fields>>) : (held as Uint8Array)
        parts.push(varint(8 * number + wire.bytes), varint(bytes.length), bytes)
      }
    }
  }
  return Buffer.concat(parts)
}

function isAbsent(value: unknown): boolean {
  return !value || (value instanceof Uint8Array && value.length === 0)
}

/** A non-negative number. */
function varint(number: number): Uint8Array {
  const bytes: number[] = []
  let left = number
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80)
  return Uint8Array.of(...bytes, left)
}
