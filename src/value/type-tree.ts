import { maxDepth } from './bounds.ts'
import { parseJson } from './parse-json.ts'
import { stepsOf } from './type-path.ts'

/** The key and the value of a Map are two steps below it. */
const mostSteps = 3 * maxDepth

/** A place in a value that `types` says something about. */
export class TypeNode {
  readonly under: TypeNode | null
  readonly step: string
  readonly #tree: TypeTree
  readonly #depth: number
  #inner: Map<string, TypeNode> | undefined
  /** What stands here; undefined for an object or an array as it is. */
  type: unknown
  #same: TypeNode | undefined
  /** The value that stands here, from when there is one: an object is known before all that it holds is. */
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

  /** What is said about the parts of what stands here, by their steps. */
  get inner(): ReadonlyMap<string, TypeNode> {
    return this.#inner ?? nothing
  }

  /** The place of the one object that stands here too. */
  get same(): TypeNode | undefined {
    return this.#same
  }

  set same(place: TypeNode | undefined) {
    this.#same = place
    this.#tree.hasSame = true
  }

  /** The place that a path leads to from here. */
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

  /** The one place of what stands here, where it or what holds it stands elsewhere too. */
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
  /** How many more there may be: no more than the text can name, and those that are named twice. */
  left: number
  /** Whether any object is told to stand at several places. */
  hasSame: boolean
}

const nothing: ReadonlyMap<string, TypeNode> = new Map()

/** Reads what `types` holds, as superjson writes it: the root of its places. Throws an Error for anything else. */
export function readTypeTree(text: string): TypeNode {
  const { values, referentialEqualities, v } = objectOf(parseJson(text))
  if (v !== 1) throw new Error('its types are of another version')
  const root = new TypeNode({ left: 2 * text.length + 16, hasSame: false }, null, '')
  if (values !== undefined) annotate(root, values)
  if (referentialEqualities !== undefined) identify(root, referentialEqualities)
  return root
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

/** `{ path: [other paths] }`; those of the root in an array, before the others. */
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

/** What is said about the places in an object holds wherever it stands: it is kept at its one place. */
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
