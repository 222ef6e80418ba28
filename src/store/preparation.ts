import { bytesUnderIndex } from '../commit/filing.ts'
import { checkOperand } from '../commit/mutation.ts'
import type { ArithmeticMutation, SetMutation } from '../commit/write.ts'
import { ValidationError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { StoredRow } from '../driver/driver.ts'
import { checkIdKinds } from '../key/typed-id.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { jsonSchemaOf } from '../schema/json-schema.ts'
import { encodeValue } from '../value/codec.ts'
import { exceeds, tooLarge } from '../value/encoding.ts'
import { KvU64 } from '../value/kv-u64.ts'
import { isPlainObject } from '../value/plain-object.ts'
import { expiryOfSet, expiryTime, type SetOptions } from './expiry.ts'
import type { PatchRow, RowStore, SchemaCode } from './row-store.ts'
import { setFromRow } from './set-from-row.ts'
import { decodeStored } from './stored-row.ts'

interface PreparingStore extends RowStore {
  /** The collection of a row with this key; null if no pattern matches it. */
  collectionOf(key: Key): string | null
  /** Whether the collection of this key has an index, whoever has declared it. */
  isIndexed(key: Key): boolean
}

/** Prepares the mutations of an open database: checks keys and values, and encodes them. */
export class Preparation {
  readonly #store: PreparingStore
  readonly #validation: SchemaCode['validation'] | undefined

  /** `validation` is left out if the database has no schemas. */
  constructor(store: PreparingStore, validation: SchemaCode['validation'] | undefined) {
    this.#store = store
    this.#validation = validation
  }

  set(key: Key, value: unknown, options?: SetOptions): SetMutation | Promise<SetMutation> {
    const encodedKey = this.#store.encodeKey(key)
    const expiresAt = expiryOfSet(options, this.#store.now())
    const definition = this.#store.registry.find(key)
    try {
      if (definition === undefined) return this.#toSet(encodedKey, key, value, expiresAt)
      checkIdKinds(definition.idKinds, key, definition.name)
      return this.#settledSet(encodedKey, key, this.#validation!.validate(definition, key, value), expiresAt)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  patch(key: Key, row: StoredRow, patch: object): SetMutation | Promise<SetMutation> {
    const encodedKey = this.#store.encodeKey(key)
    const stored = this.#fieldsOf(row, key)
    const definition = this.#store.registry.find(key)
    if (definition === undefined) return this.#toSet(encodedKey, key, { ...stored, ...patch }, row.expiresAt)
    const patched = () => this.#validation!.patchedOutput(definition, key, stored, patch)
    return setFromRow(this.#store, definition, key, () =>
      this.#settledSet(encodedKey, key, patched(), row.expiresAt),
    )
  }

  checkPatch(definition: AnyDefinition, patch: object): PatchRow | 'later' | null {
    const apply = this.#validation!.checkedPatch(definition, patch)
    if (typeof apply !== 'function') return apply
    return (row, key) => {
      const output = apply(this.#fieldsOf(row, key))
      return this.#toSet(this.#store.encodeKey(key), key, output, row.expiresAt)
    }
  }

  changed(key: Key, row: StoredRow, output: unknown): SetMutation | Promise<SetMutation> {
    const encodedKey = this.#store.encodeKey(key)
    const definition = this.#store.registry.find(key)
    if (definition === undefined) return this.#toSet(encodedKey, key, output, row.expiresAt)
    const before = () => decodeStored(row, key, this.#store.format)
    const changed = () => this.#validation!.changedOutput(definition, key, before, output)
    return setFromRow(this.#store, definition, key, () =>
      this.#settledSet(encodedKey, key, changed(), row.expiresAt),
    )
  }

  arithmetic(
    type: ArithmeticMutation['type'],
    key: Key,
    n: bigint | KvU64,
    expireIn: number | undefined,
  ): ArithmeticMutation | Promise<ArithmeticMutation> {
    const operand = checkOperand(type, n)
    const mutation: ArithmeticMutation = {
      type,
      key: this.#store.encodeKey(key),
      collection: this.#store.collectionOf(key),
      operand,
      ...(expireIn === undefined ? {} : { expiresAt: expiryTime(expireIn, this.#store.now()) }),
    }
    const definition = this.#store.registry.find(key)
    if (definition === undefined) {
      if (this.#store.isIndexed(key)) return Promise.reject(bytesUnderIndex(key, mutation.collection))
      return mutation
    }
    // The result is only known at the commit, but whether the schema can output a KvU64 at all is known now.
    try {
      checkIdKinds(definition.idKinds, key, definition.name)
      assertUnindexed(this.#store, key)
      const judged = this.#validation!.judgeOutput(
        definition,
        key,
        new KvU64(operand < 0n ? -operand : operand),
      )
      return judged instanceof Promise ? judged.then(() => mutation) : mutation
    } catch (error) {
      if (!(error instanceof ValidationError) || jsonSchemaOf(definition.schema)?.['type'] === undefined)
        return Promise.reject(error)
      const message = `${type} works on a KvU64, and the values of '${definition.name}' are not: change a number in a value with update, or with updateMany and { increment: 1 }`
      return Promise.reject(new ValidationError(key, [{ message }]))
    }
  }

  /** The value to be patched. */
  #fieldsOf(row: StoredRow, key: Key): object {
    const stored = decodeStored(row, key, this.#store.format)
    if (isPlainObject(stored)) return stored
    throw new TypeError(
      'Only the fields of an object can be patched: pass update a function of the stored value',
    )
  }

  /** `expiresAt` undefined: the expiry of the replaced value. */
  #settledSet(
    encodedKey: Uint8Array,
    key: Key,
    output: unknown,
    expiresAt: number | null | undefined,
  ): SetMutation | Promise<SetMutation> {
    return output instanceof Promise
      ? output.then((settled) => this.#toSet(encodedKey, key, settled, expiresAt))
      : this.#toSet(encodedKey, key, output, expiresAt)
  }

  #toSet(
    encodedKey: Uint8Array,
    key: Key,
    output: unknown,
    expiresAt: number | null | undefined,
  ): SetMutation {
    const { limits, format } = this.#store
    const collection = this.#store.collectionOf(key)
    const most = limits.valueBytes
    const stored = encodeValue(output, format, most)
    if (exceeds(stored, most)) throw tooLarge(most)
    if (typeof stored.value !== 'string') assertUnindexed(this.#store, key)
    return expiresAt === undefined
      ? { type: 'set', key: encodedKey, collection, stored }
      : { type: 'set', key: encodedKey, collection, stored, expiresAt }
  }
}

/** Throws a ValidationError if bytes under this key would get into an index. */
export function assertUnindexed(store: PreparingStore, key: Key): void {
  const definition = store.registry.find(key)
  if ((definition?.indexes.length ?? 0) > 0 || store.isIndexed(key))
    throw bytesUnderIndex(key, definition?.name ?? store.collectionOf(key))
}
