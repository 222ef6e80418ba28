import { readTypeTree, stepsOf, type TypeNode } from './type-tree.ts'

/** The last tree read: a query asks for many places in one row, and many rows have the same types. */
let last: { readonly text: string; readonly root: TypeNode } | null = null

/**
 * What the text at a place of a stored value stands for: `Date`, `bigint`, `number`, …; null if for itself. For a value type, what
 * its data stands for. `path`: the steps to the place, as `stepsOf` returns them. Throws an Error for types that cannot be read.
 *
 * @example
 * meaningAt('{"values":{"ids":["set",{"0":["bigint"]}]},"v":1}', 'ids.0')   // 'bigint'
 */
export function meaningAt(types: string | null, path: string): string | null {
  if (types === null) return null
  if (last?.text !== types) last = { text: types, root: readTypeTree(types) }
  let node: TypeNode | undefined = last.root
  const steps = stepsOf(path)
  for (const [i, step] of steps.entries()) {
    const holder: TypeNode = node.target
    node = holder.inner.get(step)
    if (node === undefined) return i === steps.length - 1 ? typedElements(holder.type) : null
  }
  return wordOf(node.target.type)
}

/** The word of a type; for a value type, the word of its data. */
export function wordOf(type: unknown): string | null {
  const own = dataType(type)
  return typeof own === 'string' ? own : null
}

/** What the elements of a typed array stand for; null for any other type. */
export function typedElements(type: unknown): 'bigint' | null {
  const own = dataType(type)
  return Array.isArray(own) && own[0] === 'typed-array' && String(own[1]).startsWith('Big') ? 'bigint' : null
}

function dataType(type: unknown): unknown {
  let own = type
  while (Array.isArray(own) && own[0] === 'custom') own = own[2]
  return own
}
