import { CorruptValueError } from '../contract/errors.ts'
import { formatKey } from '../contract/format-key.ts'
import { decodeKey } from '../key/codec.ts'
import { decodeValue, encodeValue } from '../value/codec.ts'
import { Encoding, isEncoding } from '../value/encoding.ts'
import { KvU64 } from '../value/kv-u64.ts'
import { applyArithmetic } from './mutation.ts'
import type { StoredRow } from './row.ts'
import type { ArithmeticMutation, Mutation, SetMutation } from './write.ts'

/** The value that a `sum`, `min` or `max` works on is not a KvU64. Printed, it is a TypeError. */
export class NotU64Error extends TypeError {
  static override readonly name = 'TypeError'
  readonly #mutation: ArithmeticMutation['type']

  constructor(mutation: ArithmeticMutation['type'], message: string) {
    super(message)
    this.#mutation = mutation
  }

  get mutation(): ArithmeticMutation['type'] {
    return this.#mutation
  }
}

/** The row after the mutations of one key, with this version; null if there is none. Throws what committing them would throw. */
export function mutatedRow(
  mutations: readonly Mutation[],
  before: StoredRow | null,
  version: number,
): StoredRow | null {
  let row = before
  for (const mutation of mutations) {
    if (mutation.type === 'delete') row = null
    else if (mutation.type === 'touch') row = row && { ...row, version, expiresAt: mutation.expiresAt }
    else {
      const { stored, expiresAt } = mutation.type === 'set' ? mutation : arithmeticSet(mutation, row)
      // A set without an expiry keeps that of the value that it replaces.
      row = { ...stored, version, expiresAt: expiresAt === undefined ? (row?.expiresAt ?? null) : expiresAt }
    }
  }
  return row
}

/** What a `sum`, `min` or `max` stores. `current`: the row under its key; null if there is none, or if it has expired. */
export function arithmeticSet(mutation: ArithmeticMutation, current: StoredRow | null): SetMutation {
  const { type, key, collection, operand } = mutation
  if (current !== null && current.encoding !== Encoding.u64) {
    if (!isEncoding(current.encoding)) {
      throw new CorruptValueError(decodeKey(key), new TypeError(`its encoding is ${current.encoding}`))
    }
    throw new NotU64Error(
      type,
      `${type} needs a KvU64, and ${formatKey(decodeKey(key))} holds another kind of value: set it to a KvU64 first`,
    )
  }
  const after = applyArithmetic(type, current === null ? null : storedU64(key, current), operand)
  return {
    type: 'set',
    key,
    collection,
    stored: encodeValue(new KvU64(after)),
    expiresAt: mutation.expiresAt === undefined ? (current?.expiresAt ?? null) : mutation.expiresAt,
  }
}

function storedU64(key: Uint8Array, { value, encoding, types }: StoredRow): bigint {
  try {
    return (decodeValue(value, encoding, types) as KvU64).value
  } catch (error) {
    throw new CorruptValueError(decodeKey(key), error)
  }
}
