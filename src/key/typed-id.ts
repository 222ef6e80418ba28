import { ArgumentTypeError } from '../arguments/argument-error.ts'
import type { Key, KeyPart } from '../contract/key.types.ts'
import type { IdKind, PatternPart, TypedId } from './pattern.types.ts'

/**
 * Wildcards for ids of one kind, instead of `'*'` in a pattern: `id.string()`, `id.number()`, `id.bigint()`, `id.boolean()` and
 * `id.bytes()`. The repository is typed accordingly, and an id or a key with another kind is a TypeError. The kind is not part of
 * the key: `['users', id.string()]` and `['users', '*']` are the same pattern.
 *
 * ```ts
 * const orders = defineSchema(['orders', id.number()], z.object({ total: z.number() }))
 * orders.pattern // => ['orders', '*']
 * orders.idKinds // => [null, 'number']
 *
 * const shop = await Valkeyrie.withSchemas([orders]).open()
 * await shop.repositories.orders.set(7, { total: 12 }) // => { ok: true, versionstamp: '…' }
 * await shop.repositories.orders.set('7' as never, { total: 12 }) // => throws TypeError
 * ```
 */
export const id = Object.freeze({
  string: (): TypedId<string> => typedIds.string,
  number: (): TypedId<number> => typedIds.number,
  bigint: (): TypedId<bigint> => typedIds.bigint,
  boolean: (): TypedId<boolean> => typedIds.boolean,
  bytes: (): TypedId<Uint8Array> => typedIds.bytes,
})

const typedIds = {
  string: typedId<string>('string'),
  number: typedId<number>('number'),
  bigint: typedId<bigint>('bigint'),
  boolean: typedId<boolean>('boolean'),
  bytes: typedId<Uint8Array>('bytes'),
}

function typedId<T extends KeyPart>(idKind: IdKind): TypedId<T> {
  return Object.freeze({ idKind }) as unknown as TypedId<T>
}

/** Throws a TypeError for `id.string` without the call, and its like. */
export function checkCalled(part: unknown): void {
  if (typeof part !== 'function') return
  const name = Object.entries(id).find(([, make]) => make === part)?.[0] ?? 'string'
  throw new TypeError(`A part of a pattern is a function: call it, id.${name}()`)
}

/** The kind of a typed wildcard, even from another copy of this module; null for any other part. */
export function idKindOf(part: PatternPart): IdKind | null {
  if (typeof part !== 'object' || part === null || part instanceof Uint8Array) return null
  return Object.hasOwn(typedIds, part.idKind) ? part.idKind : null
}

/** Throws a TypeError if a part of a key, or of the beginning of one, has the wrong kind for its place; null stands for any kind. */
export function checkIdKinds(kinds: readonly (IdKind | null)[], key: Key, name: string): void {
  const count = Math.min(kinds.length, key.length)
  for (let i = 0; i < count; i++) {
    const kind = kinds[i]
    if (kind !== null && kindOf(key[i]!) !== kind) {
      throw new ArgumentTypeError(
        `The ids of ${name} are declared as ${kind}, but ${describe(key[i])} is not: give a ${kind}, or declare '*' for ids of any kind`,
      )
    }
  }
}

function kindOf(part: KeyPart): string {
  return part instanceof Uint8Array ? 'bytes' : typeof part
}

function describe(part: unknown): string {
  if (typeof part === 'bigint') return `${part}n`
  return typeof part === 'string'
    ? JSON.stringify(part)
    : part instanceof Uint8Array
      ? 'a Uint8Array'
      : String(part)
}
