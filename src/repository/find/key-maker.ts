import { ArgumentTypeError } from '../../arguments/argument-error.ts'
import type { Key, KeyPart } from '../../contract/key.types.ts'
import { wildcardPart } from '../../key/encode.ts'
import { keyMaker, takesKeysOf } from '../../key/pattern.ts'
import type { IdOf, Pattern } from '../../key/pattern.types.ts'
import { patternText } from '../../key/pattern-text.ts'
import { checkIdKinds } from '../../key/typed-id.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { Registry } from '../../schema/registry.ts'

type KeyMaker = (id: IdOf<Pattern>) => Key

/** Shared by units of work, each of which makes its own repositories of the same definitions. */
const keyMakers = new WeakMap<Registry, Map<AnyDefinition, KeyMaker>>()

/**
 * Makes keys of a definition from ids. It throws a TypeError for an invalid id: a part of the wrong kind, or an id whose key
 * belongs to a more specific pattern of the registry.
 */
export function keyMakerOf(registry: Registry, definition: AnyDefinition): KeyMaker {
  let makers = keyMakers.get(registry)
  if (makers === undefined) {
    makers = new Map()
    keyMakers.set(registry, makers)
  }
  let maker = makers.get(definition)
  if (maker === undefined) {
    maker = ownKeyMaker(registry, definition, checkedKeyMaker(definition))
    makers.set(definition, maker)
  }
  return maker
}

function checkedKeyMaker({ pattern, idKinds, name }: AnyDefinition): KeyMaker {
  const make = realKeyMaker(pattern)
  if (idKinds.length === 0) return make
  return (id) => {
    const key = make(id)
    checkIdKinds(idKinds, key, name)
    return key
  }
}

/** Makes keys as they are stored, with 0 for -0. A wildcard in an id is a TypeError. */
function realKeyMaker(pattern: Pattern): KeyMaker {
  const make = keyMaker(pattern)
  return (id) => {
    const key = make(id) as KeyPart[]
    for (let i = 0; i < key.length; i++) {
      if (key[i] === 0) key[i] = 0
      else if (key[i] === '*') throw wildcardPart(i)
    }
    return key
  }
}

function ownKeyMaker(registry: Registry, definition: AnyDefinition, make: KeyMaker): KeyMaker {
  if (!registry.definitions.some((other) => takesKeysOf(other.pattern, definition.pattern))) return make
  return (id) => {
    const key = make(id)
    const owner = registry.find(key)
    if (owner !== undefined && owner !== definition) throw keyOfAnother(key, owner, definition)
    return key
  }
}

function keyOfAnother(key: Key, owner: AnyDefinition, { name, pattern }: AnyDefinition): TypeError {
  return new ArgumentTypeError(
    `The key ${patternText(key)} belongs to '${owner.name}', because its pattern is more specific than ${patternText(pattern)} of '${name}': use that repository`,
  )
}
