import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Registry } from '../schema/registry.ts'

/** The definition with the name that the user gave. Throws a TypeError that lists the existing names. */
export function repositoryNamed(registry: Registry, name: string): AnyDefinition {
  const definition = registry.byName(name)
  if (definition !== undefined) return definition
  const names = registry.definitions.map((it) => it.name).join(', ')
  throw new TypeError(
    `The database has no repository '${name}': ${names === '' ? 'open it once with your schemas' : `there are ${names}`}`,
  )
}
