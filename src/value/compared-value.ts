import { Encoding } from './encoding.ts'
import { parseJson } from './parse-json.ts'
import { setOwn } from './set-own.ts'
import { typedElements, wordOf } from './type-meaning.ts'
import { readTypeTree, type TypeNode } from './type-tree.ts'

/**
 * A stored value as queries compare it: its JSON, with bigints as bigints. Everything else counts as its text does: a Date as ISO
 * 8601 text, a Set as its items, an Error and an instance of a value type as the data that was written. If a value contains itself,
 * an object that occurs several times counts at its first place. `null` for bytes, which have no JSON. Throws an Error if it cannot
 * be read.
 *
 * @example
 * comparedValue('{"n":"5","at":"1970-01-01T00:00:00.000Z"}', 1, '{"values":{"n":["bigint"],"at":["Date"]},"v":1}')
 * // { n: 5n, at: '1970-01-01T00:00:00.000Z' }
 */
export function comparedValue(value: string | Uint8Array, encoding: number, types: string | null): unknown {
  if (typeof value !== 'string' || (encoding !== Encoding.json && encoding !== Encoding.superjson))
    return null
  const json = parseJson(value)
  return types === null ? json : compared(json, readTypeTree(types))
}

function compared(raw: unknown, node: TypeNode): unknown {
  const { type } = node
  const word = wordOf(type)
  if (word === 'bigint') return BigInt(raw as string)
  // Earlier releases wrote -0 as a text.
  if (word === 'number' && raw === '-0') return 0
  if (typeof raw !== 'object' || raw === null) return raw
  if (typedElements(type) === 'bigint') return (raw as readonly string[]).map(BigInt)
  for (const [step, inner] of node.inner) {
    if (Object.hasOwn(raw, step)) setOwn(raw, step, compared((raw as Record<string, unknown>)[step], inner))
  }
  return raw
}
