import { stepsOf } from './type-path.ts'
import { readTypeTree, type TypeNode } from './type-tree.ts'

/** The tree that was read last: many places are asked for in one row, and the types of many rows are one text. */
let last: { readonly text: string; readonly root: TypeNode } | null = null

/**
 * What the text at a place of a stored value stands for: `Date`, `bigint`, `number`, …; null: for itself. Of a value type, what its
 * data stands for. `path`: the steps that lead there, as `stepsOf` takes them apart.
 *
 * Throws an Error for types that cannot be read.
 *
 * @example
 * meaningAt('{"values":{"ids":["set",{"0":["bigint"]}]},"v":1}', 'ids.0')   // 'bigint'
 */
export function meaningAt(types: string | null, path: string): string | null {
  if (types === null) return null
  if (last?.text !== types) last = { text: types, root: readTypeTree(types) }
  let node: TypeNode | undefined = last.root
  for (const step of stepsOf(path)) {
    node = node.target.inner.get(step)
    if (node === undefined) return null
  }
  let { type } = node.target
  while (Array.isArray(type) && type[0] === 'custom') type = type[2]
  return typeof type === 'string' ? type : null
}
