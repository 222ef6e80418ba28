import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Anatomy, exactLeaf, knownVendor } from './anatomy.ts'
import { arkAnatomy, arkNode } from './arktype.ts'
import { isValibot, valibotAnatomy } from './valibot.ts'
import { isZod, zodAnatomy } from './zod.ts'

const known = new WeakMap<StandardSchemaV1, Anatomy>()

/** The anatomy of a schema, built once. */
export function anatomyOf(schema: StandardSchemaV1): Anatomy {
  const made = known.get(schema)
  if (made !== undefined) return made
  // Stands for a schema inside itself, while its own anatomy is built.
  const self: Anatomy = { type: 'lazy', schema, get: () => known.get(schema)! }
  known.set(schema, self)
  const anatomy = takeApart(schema)
  known.set(schema, anatomy)
  return anatomy
}

/** A schema from a release that describes itself differently is opaque. */
function takeApart(schema: StandardSchemaV1): Anatomy {
  try {
    return take(schema)
  } catch {
    return { type: 'opaque', schema }
  }
}

function take(schema: StandardSchemaV1): Anatomy {
  if (schema['~standard'].vendor === knownVendor) return exactLeaf(schema)
  if (isZod(schema)) return zodAnatomy(schema, anatomyOf)
  if (isValibot(schema)) return valibotAnatomy(schema, anatomyOf)
  const node = arkNode(schema)
  return node === null ? { type: 'opaque', schema } : arkAnatomy(node, anatomyOf)
}
