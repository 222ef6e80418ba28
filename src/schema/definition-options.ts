import type { StandardSchemaV1 } from '@standard-schema/spec'
import { nameOf } from '../key/pattern.ts'
import type { Pattern } from '../key/pattern.types.ts'
import type { DefinitionOptions, IndexDefinition, IndexOptions, References } from './definition.types.ts'
import { type Fields, isBigint } from './fields.ts'
import { indexNameClash } from './index-name.ts'

/** Throws a TypeError unless `schema` is a Standard Schema of version 1. */
export function checkSchema(schema: StandardSchemaV1): void {
  const standard = (schema as Partial<StandardSchemaV1> | null | undefined)?.['~standard']
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new TypeError('The second argument must be a Standard Schema (of Zod 4, Valibot, ArkType, …)')
  }
}

/** Throws a TypeError if the options are not an object, or have an unknown name. */
export function checkOptions(options: DefinitionOptions): void {
  checkNames(
    options,
    ['name', 'indexes', 'search', 'references', 'valueTypes'],
    "a schema's options, such as { name: 'people' }",
  )
}

/** The name of a repository: the given one, or the default for its pattern. */
export function nameFor(pattern: Pattern, given: string | undefined): string {
  const name = given === undefined ? nameOf(pattern) : given
  checkName(name)
  return name
}

/** Throws a TypeError if this cannot be the name of a repository. */
export function checkName(name: string): void {
  if (typeof name !== 'string' || !identifier.test(name)) {
    throw new TypeError(
      `${quote(name)} is not a name for a repository: use an identifier, { name: 'people' }, in the options`,
    )
  }
  if (name in Object.prototype || notNames.has(name)) {
    throw new TypeError(
      `'${name}' already means something on every object: choose another name in the options`,
    )
  }
}

const identifier = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u
/** An object with a `then` would be taken for a promise. */
const notNames: ReadonlySet<string> = new Set(['then', 'prototype'])

/** The declared indexes of a repository, frozen, with the bigint fields that the schema shows. */
export function indexesOf(
  name: string,
  options: readonly IndexOptions[] = [],
  fieldsOf: () => Fields,
): readonly IndexDefinition[] {
  if (!Array.isArray(options))
    throw new TypeError("indexes must be an array, such as [{ on: 'email', unique: true }]")
  const indexes = options.map(indexOf).map((index) => {
    const bigints = index.fields.filter((path) => {
      const field = fieldsOf().at(path.split('.'))
      if (field === null) throw new TypeError(`There is no field '${path}' in the output of this schema`)
      return isBigint(field.types)
    })
    // A unique index distinguishes values by their digits.
    return Object.freeze(index.unique || bigints.length === 0 ? index : { ...index, bigints })
  })
  const seen = new Set<string>()
  for (const { fields, bigints } of indexes) {
    const names = fields.join(', ')
    // An index that keeps bigints in order serves queries that a unique one cannot.
    const known = `${names}${bigints === undefined ? '' : ' in order'}`
    if (seen.has(known)) throw new TypeError(`Two indexes are on ${names}: drop one`)
    seen.add(known)
  }
  const clash = indexNameClash([{ name, indexes }])
  if (clash !== null) throw new TypeError(clash)
  return Object.freeze(indexes)
}

function indexOf(options: IndexOptions): IndexDefinition {
  checkNames(options, ['on', 'unique'], "an index, such as { on: 'email', unique: true }")
  const { on, unique = false } = options
  const fields = Object.freeze(typeof on === 'string' ? [on] : [...checkedFields(on)])
  fields.forEach(checkPath)
  if (new Set(fields).size < fields.length)
    throw new TypeError(`An index names a field twice: ${fields.join(', ')}`)
  if (typeof unique !== 'boolean') throw new TypeError(`unique must be true or false: got ${quote(unique)}`)
  return { fields, unique }
}

function checkedFields(on: readonly string[]): readonly string[] {
  if (Array.isArray(on) && on.length > 0) return on
  throw new TypeError("An index must be on a field or an array of fields, such as { on: ['city', 'age'] }")
}

/** The definitions that fields refer to, frozen. */
export function referencesOf(references: References = {}, fieldsOf: () => Fields): References {
  checkObject(references, 'references, such as { authorId: users }')
  for (const [field, definition] of Object.entries(references)) {
    checkPath(field)
    if (!Array.isArray((definition as Partial<typeof definition> | null)?.pattern)) {
      throw new TypeError(`The reference '${field}' must lead to a definition: make it with defineSchema`)
    }
    if (fieldsOf().at(field.split('.')) === null)
      throw new TypeError(`There is no field '${field}' in the output of this schema, to be a reference`)
  }
  return Object.freeze({ ...references })
}

/**
 * A path ends up in an index expression: inside a JSON path, inside an SQL literal, inside a migration file. Characters that would
 * need escaping in any of them are refused. (drizzle-kit splits index expressions at commas.)
 */
export function checkPath(path: string): void {
  if (typeof path !== 'string' || path.split('.').some((field) => field === '' || unsafe.test(field))) {
    throw new TypeError(
      `${quote(path)} is not a path to a field: give names joined by dots, such as 'address.city', without quotes, commas, brackets or backslashes`,
    )
  }
}

const unsafe = /["'`\\,[\](){}\p{Cc}\p{Cs}\u2028\u2029]/u

/** Throws a TypeError if this is not an object, or has an unknown name. `what`: what the object describes. */
export function checkNames(options: object, known: readonly string[], what: string): void {
  checkObject(options, what)
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new TypeError(`There is no option '${name}': there are ${known.join(', ')}`)
  }
}

function checkObject(value: object, what: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw new TypeError(`Give an object of ${what}: got ${quote(value)}`)
}

/** A value for messages. */
export function quote(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value)
}
