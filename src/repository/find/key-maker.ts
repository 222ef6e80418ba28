import type { Key } from '../../contract/key.types.ts'
import { keyMaker } from '../../key/pattern.ts'
import type { IdOf, Pattern } from '../../key/pattern.types.ts'
import { checkIdKinds } from '../../key/typed-id.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'

type KeyMaker = (id: IdOf<Pattern>) => Key

/** Units of work make their repositories again, of the same definitions. */
const keyMakers = new WeakMap<AnyDefinition, KeyMaker>()

/** What makes the keys of a definition of ids; it throws a TypeError for what no id of it can be. */
export function keyMakerOf(definition: AnyDefinition): KeyMaker {
  let maker = keyMakers.get(definition)
  if (maker === undefined) {
    maker = checkedKeyMaker(definition)
    keyMakers.set(definition, maker)
  }
  return maker
}

function checkedKeyMaker({ pattern, idKinds, name }: AnyDefinition): KeyMaker {
  const make = keyMaker(pattern)
  if (idKinds.length === 0) return make
  return (id) => {
    const key = make(id)
    checkIdKinds(idKinds, key, name)
    return key
  }
}
