import { Buffer } from 'node:buffer'
import type { Key, KeyPart } from '../contract/key.types.ts'
import type { Pattern } from './pattern.types.ts'

interface Node<T> {
  readonly literals: Map<KeyPart, Node<T>>
  /** Byte strings are equal by content, so they are looked up by their hex digits. */
  readonly bytes: Map<string, Node<T>>
  wildcard: Node<T> | undefined
  leaf: { readonly value: T } | undefined
}

/**
 * Finds the most specific pattern that matches a key, in a time that grows with the key and not with the number of
 * patterns.
 *
 * ```ts
 * const index = new PatternIndex([[['users', '*'], 1], [['users', 'root'], 2]])
 * index.find(['users', 'root']) // 2
 * ```
 */
export class PatternIndex<T> {
  readonly #root: Node<T> = newNode()

  /** Throws a TypeError if two patterns are identical. */
  constructor(entries: Iterable<readonly [Pattern, T]>) {
    for (const [pattern, value] of entries) {
      let node = this.#root
      for (const part of pattern) node = part === '*' ? wildcardNode(node) : literalNode(node, part)
      if (node.leaf) {
        throw new TypeError(`Two schemas have the pattern [${pattern.map(String).join(', ')}]: drop one`)
      }
      node.leaf = { value }
    }
  }

  /** The value of the most specific pattern that matches the key; `undefined` if none does. */
  find(key: Key): T | undefined {
    return findLeaf(this.#root, key, 0)?.value
  }
}

function newNode<T>(): Node<T> {
  return { literals: new Map(), bytes: new Map(), wildcard: undefined, leaf: undefined }
}

function wildcardNode<T>(node: Node<T>): Node<T> {
  node.wildcard ??= newNode()
  return node.wildcard
}

function literalNode<T>(node: Node<T>, part: KeyPart): Node<T> {
  let next = literalChild(node, part)
  if (!next) {
    next = newNode()
    if (part instanceof Uint8Array) node.bytes.set(hex(part), next)
    else node.literals.set(part, next)
  }
  return next
}

function literalChild<T>(node: Node<T>, part: KeyPart): Node<T> | undefined {
  if (!(part instanceof Uint8Array)) return node.literals.get(part)
  return node.bytes.size === 0 ? undefined : node.bytes.get(hex(part))
}

function findLeaf<T>(node: Node<T>, key: Key, depth: number): Node<T>['leaf'] {
  if (depth === key.length) return node.leaf
  const literal = literalChild(node, key[depth]!)
  const leaf = literal && findLeaf(literal, key, depth + 1)
  if (leaf) return leaf
  return node.wildcard && findLeaf(node.wildcard, key, depth + 1)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
