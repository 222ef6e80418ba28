import type { Key } from '../contract/key.types.ts'
import type { IdOf, Pattern } from './pattern.types.ts'

/** A copy of a key, as it is stored and listed: with 0 for -0. What is not an array is for `encodeKey` to refuse. */
export function ownKey(key: Key): Key {
  if (!Array.isArray(key)) return key
  const own = key.slice()
  for (let i = 0; i < own.length; i++) if (own[i] === 0) own[i] = 0
  return own
}

/** A copy of an id, as the id of a listed row. */
export function ownId(id: IdOf<Pattern>): IdOf<Pattern> {
  return Array.isArray(id) ? ownKey(id) : id === 0 ? 0 : id
}
