import type { BetterAuthOptions } from 'better-auth'
import { getAuthTables } from 'better-auth/db'
import { z } from 'zod'
import type { Key } from '../contract/key.types.ts'
import { defineSchema } from '../schema/definition.ts'
import type { DefinitionOf, IndexOptions } from '../schema/definition.types.ts'

type Tables = ReturnType<typeof getAuthTables>
type Table = Tables[string]
type Attribute = Table['fields'][string]

/** The stored value of a model. Its fields are those of better-auth and its plugins; better-auth checks them. */
export type AuthSchema = DefinitionOf<
  readonly [...Key, string, '*'],
  z.ZodType<Record<string, unknown>>,
  { readonly name: `auth_${string}` }
>

/** A definition for each model, under its prefix and name, with an index for each field that is unique, indexed or a reference. */
export function schemasOf(options: BetterAuthOptions, prefix: Key): AuthSchema[] {
  return Object.values(getAuthTables(options)).map((table) => {
    const names = Object.fromEntries(
      Object.entries(table.fields).map(([field, { fieldName }]) => [field, fieldName ?? field]),
    )
    const fields = Object.entries(table.fields).map(
      ([field, attribute]) => [names[field]!, schemaOf(attribute)] as const,
    )
    const schema = z.looseObject({ id: z.union([z.string(), z.number()]), ...Object.fromEntries(fields) })
    return defineSchema([...prefix, table.modelName, '*'], schema, {
      name: nameOf(prefix, table.modelName),
      indexes: indexesOf(table, names),
    }) as never
  })
}

/** Every name starts with `auth_`, so its type cannot clash with a repository of the user's. */
function nameOf([first, ...rest]: Key, model: string): `auth_${string}` {
  return `auth_${[...(first === 'auth' ? rest : [first, ...rest]), model].join('_')}`
}

function schemaOf({ type, references }: Attribute): z.ZodType {
  // better-auth can number its rows: then ids are numbers.
  if (references?.field === 'id') return z.union([z.string(), z.number()]).nullish()
  if (type === 'number') return z.number().nullish()
  if (type === 'boolean') return z.boolean().nullish()
  if (type === 'string[]') return z.array(z.string()).nullish()
  if (type === 'number[]') return z.array(z.number()).nullish()
  // better-auth writes a date as ISO 8601 text.
  return type === 'json' ? z.unknown().optional() : z.string().nullish()
}

function indexesOf({ fields, indexes = [] }: Table, names: Readonly<Record<string, string>>): IndexOptions[] {
  const found = new Map<string, IndexOptions>()
  const add = (on: readonly string[], unique: boolean) => {
    const name = on.join()
    if (unique || !found.has(name)) found.set(name, { on: on.length === 1 ? on[0]! : on, unique })
  }
  for (const [field, { unique = false, index = false, references }] of Object.entries(fields)) {
    if (unique || index || references !== undefined) add([names[field]!], unique)
  }
  for (const { fields: on, unique = false } of indexes)
    add(
      on.map((field) => names[field] ?? field),
      unique,
    )
  return [...found.values()]
}
