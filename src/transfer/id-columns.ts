import type { Key, KeyPart } from '../contract/key.types.ts'
import { keyJson, keyPartOfJson } from '../key/key-json.ts'
import { keyOfId, wildcardCount } from '../key/pattern.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'

/** The columns with the parts of an id: `$id`, or `$id.1`, `$id.2` if there are several. */
export function idColumns({ pattern }: AnyDefinition): string[] {
  const count = wildcardCount(pattern)
  return count === 1 ? ['$id'] : Array.from({ length: count }, (_, i) => `$id.${i + 1}`)
}

/** A part of an id as the text of a cell: a string as it is, anything else as JSON that names its type. */
export function idCell(part: KeyPart): string {
  if (typeof part === 'string' && !/^[{"]/.test(part)) return part
  if (typeof part === 'number') return JSON.stringify({ number: String(part) })
  return typeof part === 'boolean' ? JSON.stringify({ boolean: part }) : JSON.stringify(keyJson([part])[0])
}

/** The part of an id in a cell. Throws a TypeError if it starts like JSON and is not. */
export function idOfCell(cell: string): KeyPart {
  if (!/^[{"]/.test(cell)) return cell
  let json: unknown
  try {
    json = JSON.parse(cell)
  } catch {
    throw new TypeError(`the id ${cell} is not JSON: if it is a text, write ${JSON.stringify(cell)}`)
  }
  const { boolean } = json as { readonly boolean?: unknown }
  return typeof boolean === 'boolean' ? boolean : keyPartOfJson(json)
}

/** The key of the row with these parts of an id. */
export function keyOfParts(definition: AnyDefinition, parts: readonly KeyPart[]): Key {
  const { pattern } = definition
  const count = wildcardCount(pattern)
  if (parts.length !== count)
    throw new TypeError(
      `an id of '${definition.name}' has ${count} parts, but you named ${parts.length} columns`,
    )
  return keyOfId(pattern, (count === 0 ? undefined : count === 1 ? parts[0] : parts) as IdOf<Pattern>)
}
