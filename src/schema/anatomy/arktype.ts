import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Anatomy, exactLeaf } from './anatomy.ts'
import { areIdempotent, normalizerOf } from './normalizer.ts'

/** A node of a type of ArkType 2. */
export interface ArkNode extends StandardSchemaV1 {
  readonly kind: string
  readonly includesTransform: boolean
  readonly inner: Readonly<Record<string, unknown>>
  readonly $: { node(kind: 'intersection', inner: object): ArkNode }
  readonly morphs?: readonly unknown[]
  readonly declaredOut?: ArkNode
  readonly branches?: readonly ArkNode[]
  readonly resolution?: ArkNode
  readonly structure?: Structure
}

interface Structure {
  readonly required?: readonly Property[]
  readonly optional?: readonly Property[]
  readonly index?: readonly { readonly signature: ArkNode; readonly value: ArkNode }[]
  readonly sequence?: { readonly inner: Readonly<Record<string, unknown>> }
  readonly undeclared?: 'ignore' | 'delete' | 'reject'
}

interface Property {
  readonly key: PropertyKey
  readonly value: ArkNode
  readonly inner: { readonly default?: unknown }
}

type AnatomyOf = (schema: StandardSchemaV1) => Anatomy

/** The node of an ArkType schema; `null` for any other schema. */
export function arkNode(schema: StandardSchemaV1): ArkNode | null {
  if (schema['~standard'].vendor !== 'arktype') return null
  const node = (schema as { readonly internal?: ArkNode }).internal ?? (schema as ArkNode)
  return typeof node.kind === 'string' && typeof node.includesTransform === 'boolean' ? node : null
}

/** The anatomy of an ArkType schema; `of` returns that of its parts. */
export function arkAnatomy(node: ArkNode, of: AnatomyOf): Anatomy {
  switch (node.kind) {
    case 'alias':
      return { type: 'lazy', schema: node, get: () => of(node.resolution!) }
    case 'morph':
      return morph(node, node.morphs!, of)
    case 'union':
      return { type: 'choice', schema: node, options: node.branches!.map(of) }
    case 'intersection':
      return node.structure === undefined ? whole(node) : checked(node, structured(node, node.structure, of))
    default:
      return whole(node)
  }
}

function whole(node: ArkNode): Anatomy {
  return node.includesTransform ? { type: 'transform', schema: node, output: null } : exactLeaf(node)
}

function structured(node: ArkNode, structure: Structure, of: AnatomyOf): Anatomy {
  const { required = [], optional = [], index = [], sequence, undeclared } = structure
  const properties = [...required, ...optional]
  if (sequence !== undefined) {
    const {
      prefix = [],
      variadic = null,
      ...others
    } = sequence.inner as {
      prefix?: ArkNode[]
      variadic?: ArkNode | null
    }
    if (Object.keys(others).length > 0 || properties.length + index.length > 0) return whole(node)
    return { type: 'list', schema: node, items: prefix.map(of), rest: variadic && of(variadic) }
  }
  if (properties.some(({ key }) => typeof key !== 'string') || index.length > 1) return whole(node)
  const [any] = index
  if (any !== undefined && properties.length === 0 && undeclared === undefined)
    return { type: 'record', schema: node, key: of(any.signature), value: of(any.value), dropped: [] }
  if (any !== undefined || 'proto' in node.inner) return whole(node)
  return {
    type: 'object',
    schema: node,
    fields: new Map(properties.map(({ key, value }) => [key as string, of(value)])),
    optional: new Map(optional.map(({ key, inner }) => [key as string, defaultOf(inner)])),
    rest: undeclared === 'delete' ? 'drop' : undeclared === 'reject' ? 'refuse' : 'keep',
    dropped: [],
  }
}

function defaultOf(inner: Property['inner']): (() => unknown) | null {
  if (!('default' in inner)) return null
  const { default: given } = inner
  return () => (typeof given === 'function' ? given() : given)
}

/** The checks of a type on its outputs, beyond their structure: predicates and lengths. */
function checked(node: ArkNode, inner: Anatomy): Anatomy {
  const { structure: _, domain, proto, ...more } = node.inner
  if (inner.type === 'leaf' || Object.keys(more).length === 0) return inner
  const kept = { ...(domain ? { domain } : {}), ...(proto ? { proto } : {}), ...more }
  const refinement = node.$.node('intersection', kept)
  return { type: 'checked', schema: node, inner, check: (output) => refinement['~standard'].validate(output) }
}

function morph(node: ArkNode, morphs: readonly unknown[], of: AnatomyOf): Anatomy {
  const from = node.inner['in'] as ArkNode | undefined
  const lastFunction = morphs.findLastIndex((it) => !isNode(it))
  const nodes = morphs.slice(lastFunction + 1) as ArkNode[]
  if (lastFunction < 0 && from !== undefined && nodes.every(isPredicate)) {
    return nodes.reduce(
      (inner: Anatomy, next): Anatomy => ({
        type: 'checked',
        schema: node,
        inner,
        check: (output) => next['~standard'].validate(output),
      }),
      of(from),
    )
  }
  const methods = morphs.map(normalizerOf)
  if (areIdempotent(methods) && isText(from)) {
    const closed = from.kind === 'domain'
    return { type: 'leaf', schema: node, output: closed ? from : text, exact: false, closed }
  }
  const last = nodes.findLast((it) => !isPredicate(it))
  if (last !== undefined) return { type: 'transform', schema: node, output: of(last) }
  const { declaredOut } = node
  // The declared output of a morph of texts is not exact: it ignores line breaks.
  const isTold = declaredOut !== undefined && (declaredOut.kind === 'domain' || declaredOut.kind === 'proto')
  return { type: 'transform', schema: node, output: isTold ? of(declaredOut) : null }
}

function isNode(morph: unknown): morph is ArkNode {
  return typeof (morph as Partial<ArkNode>).kind === 'string'
}

function isPredicate({ inner }: ArkNode): boolean {
  return Object.keys(inner).every((name) => name === 'predicate')
}

function isText(node: ArkNode | undefined): node is ArkNode {
  if (node === undefined || node.includesTransform) return false
  const { domain } = node.inner
  return domain === 'string' || (domain as ArkNode | undefined)?.inner?.['domain'] === 'string'
}

const text: StandardSchemaV1 = {
  '~standard': {
    version: 1,
    vendor: 'valkeyrie',
    validate: (value) =>
      typeof value === 'string' ? { value } : { issues: [{ message: 'must be a string' }] },
  },
}
