import { QueryError } from '../contract/errors.ts'
import { parsePath } from '../schema/field-path.ts'
import type { Field, Fields } from '../schema/fields.ts'
import { describe, quote } from './describe.ts'
import { fieldHint } from './unknown-name.ts'

const mostFields = 100

/** The field at a path, such as `'address.city'`. Throws a QueryError if there is none. */
export function parsePathTo(path: unknown, of: string, fields: Fields, collection: string): Field {
  if (typeof path !== 'string')
    throw new QueryError(
      `${of} takes the name of a field, such as 'address.city', or several: got ${describe(path)}`,
    )
  const names = parsePath(path)
  const field = names && fields.at(names)
  if (field !== null) return field
  const hint = pathHint(path, names, fields)
  throw new QueryError(`There is no field ${quote(path)} in the values of '${collection}' for ${of}${hint}`)
}

/** A hint about the first name of a path that leads nowhere. */
function pathHint(path: string, names: readonly string[] | null, fields: Fields): string {
  let place = fields.root
  for (const name of names ?? [path]) {
    const child = fields.child(place, name)
    if (child === null) return fieldHint(name, place, fields)
    place = child
  }
  return ''
}

/** The fields at one path, or at each of an array of paths; empty for undefined. */
export function parsePaths(paths: unknown, of: string, fields: Fields, collection: string): Field[] {
  const all: readonly unknown[] = paths === undefined ? [] : Array.isArray(paths) ? paths : [paths]
  if (paths !== undefined && all.length === 0)
    throw new QueryError(`${of} must name a field, such as 'address.city', or several`)
  if (all.length > mostFields) throw new QueryError(`${of} may name at most ${mostFields} fields`)
  return all.map((path) => parsePathTo(path, of, fields, collection))
}
