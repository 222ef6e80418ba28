import { maxDepth } from './bounds.ts'
import { splitPath } from './dotted-path.ts'
import { parseJson } from './parse-json.ts'

/** The key and the value of a Map are two steps below it. */
const mostSteps = 3 * maxDepth

/** A place in a value that `types` says something about. */
export class TypeNode {
  readonly under: TypeNode | null
  readonly step: string
  readonly #tree: TypeTree
  readonly #depth: number
  #inner: Map<string, TypeNode> | undefined
  /** The type of the value here; undefined for a plain object or array. */
  type: unknown
  #same: TypeNode | undefined
  /** The value here, as soon as it exists: an object exists before its contents do. */
  value: unknown
  state: 'new' | 'begun' | 'known' = 'new'

  constructor(tree: TypeTree, under: TypeNode | null, step: string) {
    if (--tree.left < 0) throw new Error('its types describe more than they name')
    this.#tree = tree
    this.under = under
    this.step = step
    this.#depth = under === null ? 0 : under.#depth + 1
    if (this.#depth > mostSteps) throw new Error('its types go deeper than a value can')
  }

  /** The places below this one, by their steps. */
  get inner(): ReadonlyMap<string, TypeNode> {
    return this.#inner ?? nothing
  }

  /** If this place holds an object that occurs several times: its main place. */
  get same(): TypeNode | undefined {
    return this.#same
  }

  set same(place: TypeNode | undefined) {
    this.#same = place
    this.#tree.hasSame = true
  }

  /** Follows a path from here. */
  at(path: string): TypeNode {
    let node: TypeNode = this
    for (const step of stepsOf(path)) node = node.child(step)
    return node
  }

  child(step: string): TypeNode {
    this.#inner ??= new Map()
    let child = this.#inner.get(step)
    if (child === undefined) {
      child = new TypeNode(this.#tree, this, step)
      this.#inner.set(step, child)
    }
    return child
  }

  /** The main place of the value here, if it, or what contains it, occurs several times. */
  get target(): TypeNode {
    if (!this.#tree.hasSame) return this
    let node: TypeNode = this
    for (let passed = 0; ; passed++) {
      if (passed > mostSteps) throw new Error('its types name an object only where else it is')
      const under: TypeNode | undefined = node.under?.target
      if (under !== undefined && under !== node.under) node = under.child(node.step)
      if (node.same === undefined) return node
      node = node.same
    }
  }
}

/** What all places of one value share. */
interface TypeTree {
  /** How many more places there may be: as many as the text can name, with some that are named twice. */
  left: number
  /** Whether any object occurs at several places. */
  hasSame: boolean
}

const nothing: ReadonlyMap<string, TypeNode> = new Map()

/** Reads `types` as superjson writes it; returns the root. Throws an Error for anything else. */
export function readTypeTree(text: string): TypeNode {
  const { values, referentialEqualities, v } = objectOf(parseJson(text))
  if (v !== 1) throw new Error('its types are of another version')
  const root = new TypeNode({ left: 2 * text.length + 16, hasSame: false }, null, '')
  if (values !== undefined) annotate(root, values)
  if (referentialEqualities !== undefined) identify(root, referentialEqualities)
  return root
}

/** The steps of a path of `types`. Throws an Error for a backslash that escapes nothing. */
export function stepsOf(path: string): string[] {
  const steps = splitPath(path)
  if (steps === null) throw new Error('its types have a path that is not one')
  return steps
}

function annotate(node: TypeNode, tree: unknown): void {
  if (!Array.isArray(tree)) {
    for (const [path, inner] of Object.entries(objectOf(tree))) annotate(node.at(path), inner)
    return
  }
  const [type, inner, ...more] = tree
  if (type === undefined || more.length > 0 || Array.isArray(inner) || node.type !== undefined)
    throw new Error('its types give no type for a place, or two')
  node.type = type
  if (inner !== undefined) annotate(node, inner)
}

/** `{ path: [other paths] }`; an array if the root occurs elsewhere, its other paths first. */
function identify(root: TypeNode, equalities: unknown): void {
  const [ofRoot, others = {}] = Array.isArray(equalities) ? equalities : [[], equalities]
  const told: TypeNode[] = []
  const tell = (target: TypeNode, paths: unknown) => {
    if (!Array.isArray(paths)) throw new Error('its types give no paths of an object')
    for (const path of paths) {
      const node = root.at(String(path))
      if (node === target || node.same !== undefined) throw new Error('its types name a place twice')
      node.same = target
      told.push(node)
    }
  }
  tell(root, ofRoot)
  for (const [path, paths] of Object.entries(objectOf(others))) tell(root.at(path), paths)
  for (const node of told) move(node, node.target)
}

/** Moves the places in an object to its main place: they hold wherever the object occurs. */
function move(from: TypeNode, to: TypeNode): void {
  for (const [step, inner] of from.inner) {
    const place = to.child(step)
    if (place === inner) continue
    place.type ??= inner.type
    if (place.same === undefined && inner.same !== undefined && inner.same !== place) place.same = inner.same
    if (place.same === undefined) move(inner, place)
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('its types are not an object')
  return value as Record<string, unknown>
}
