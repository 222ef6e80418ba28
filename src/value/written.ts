import { setOwn } from './set-own.ts'

/** What a part of `value` stands for: a word, or a word with its facts. */
export type Type = string | readonly unknown[]
/** The types in a value, as superjson writes them: its own, and those below it by path. */
export type TypeTree = readonly [type: Type, inner?: Tree] | Tree
export type Tree = Record<string, unknown>

/** A written value: its part of the text, and of the types. */
export interface Written {
  readonly json: unknown
  readonly tree: TypeTree | undefined
  /** How many levels of objects it has, including itself. */
  readonly levels: number
  /** How many values it has, including itself. */
  readonly size: number
}

/** The written members of an object. */
export class Part {
  #tree: Record<string, unknown> | undefined
  #levels = 0
  #size = 1

  addLeaf<T>(value: T): T {
    this.#size++
    return value
  }

  /** `path`: escaped. `own`: how many levels do not count, because they are not objects of the value. */
  add({ json, tree, levels, size }: Written, path: string, own = 0): unknown {
    if (levels - own > this.#levels) this.#levels = levels - own
    this.#size += size
    if (tree === undefined) return json
    this.#tree ??= {}
    if (Array.isArray(tree)) setOwn(this.#tree, path, tree)
    else for (const rest of Object.keys(tree)) this.#tree[`${path}.${rest}`] = (tree as Tree)[rest]
    return json
  }

  written(json: unknown): Written {
    return { json, tree: this.#tree, levels: this.#levels + 1, size: this.#size }
  }
}

export function isJsonNumber(value: number): boolean {
  return Number.isFinite(value) && (value !== 0 || 1 / value > 0)
}

/**
 * The number -0 in JSON; `JSON.stringify` would write 0. To an engine it equals 0. Made on demand: a Node.js that is too old has no
 * `rawJSON`, and must get far enough to say so.
 */
export function negativeZero(): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('-0')
}

export function numberWord(value: number): string {
  return value === 0 ? '-0' : String(value)
}

export function isPlainLeaf(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    value === null ||
    (typeof value === 'number' && isJsonNumber(value))
  )
}

export function leaf(json: unknown, type?: Type): Written {
  return { json, tree: type === undefined ? undefined : [type], levels: 0, size: 1 }
}

export function whole(json: unknown, type: Type): Written {
  return { json, tree: [type], levels: 1, size: Array.isArray(json) ? json.length + 1 : 1 }
}

export function withType(type: Type, { tree, ...written }: Written): Written {
  return { ...written, tree: typed(type, tree as Record<string, unknown> | undefined) }
}

export function typed(type: Type, inner: Record<string, unknown> | undefined): TypeTree {
  return inner === undefined ? [type] : [type, inner]
}
