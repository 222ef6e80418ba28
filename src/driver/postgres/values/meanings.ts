import { escapeName } from '../../../value/dotted-path.ts'
import { parseJson } from '../../../value/parse-json.ts'
import { typedElements, wordOf } from '../../../value/type-meaning.ts'
import { readTypeTree, type TypeNode } from '../../../value/type-tree.ts'
import { escapeJson, isEscaped } from './json-text.ts'

/** The step for the elements of an array if all of them have one meaning. */
export const everyElement = '*'

/**
 * What the texts of a row stand for, if SQL cannot see that in its types: a JSON object of words by paths, as `escapeJson` writes
 * it. `null` if `types -> 'values' -> path ->> 0` is already the word: most rows have a Date or a bigint here and there, but no
 * Set, no instance of a value type, and no value that contains itself. Throws an Error for types that cannot be read.
 *
 * @example
 * meaningsOf('{"values":{"at":["Date"]},"v":1}')   // null
 * meaningsOf('{"values":{"ids":["set",{"0":["bigint"]}]},"v":1}')   // '{"ids":"set","ids.0":"bigint"}'
 */
export function meaningsOf(types: string | null): string | null {
  if (types === null || isPlain(types)) return null
  const meanings: Record<string, string> = Object.create(null)
  collect(readTypeTree(types), '', meanings)
  return escapeJson(JSON.stringify(meanings))
}

/** Whether types are one word for each path, and PostgreSQL can read their paths. */
function isPlain(text: string): boolean {
  const types = parseJson(text) as Record<string, unknown>
  const { values, referentialEqualities } = types
  if (referentialEqualities !== undefined || typeof values !== 'object' || values === null) return false
  if (Array.isArray(values)) return false
  return Object.entries(values as Record<string, unknown>).every(
    ([path, type]) =>
      Array.isArray(type) && type.length === 1 && typeof type[0] === 'string' && !isEscaped(path),
  )
}

function collect(node: TypeNode, path: string, meanings: Record<string, string>): void {
  // An object that occurs several times is reported at its main place; here the JSON has null.
  if (node.same !== undefined) return
  const word = wordOf(node.type)
  if (word !== null) meanings[path] = word
  const below = (step: string) => (node.under === null ? step : `${path}.${step}`)
  const element = typedElements(node.type)
  if (element !== null) meanings[below(everyElement)] = element
  for (const [step, inner] of node.inner) collect(inner, below(escapeName(step)), meanings)
}
