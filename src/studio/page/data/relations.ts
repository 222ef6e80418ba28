import type { Key, KeyPart } from '../../../contract/key.types.ts'
import type { Row } from '../value/wire.ts'
import { catalog, type Repository, repositoryNamed } from './catalog.ts'
import { isFields } from './columns.ts'
import { fieldName, queryText } from './query-text.ts'
import { hrefOf, keyName } from './route.ts'

/** A link from a row to other rows. */
export interface Relation {
  readonly label: string
  readonly href: string
}

/** The links from a row to those that it refers to, those that refer to it, its parent, and its children. */
export function relationsOf(repository: Repository, row: Row): readonly Relation[] {
  const id = idOf(repository, row.key)
  return [
    ...references(repository, row),
    ...parents(repository, row),
    ...nested(repository, id),
    ...referrers(repository, id),
  ]
}

function references({ references: fields }: Repository, { value }: Row): Relation[] {
  return Object.entries(fields).flatMap(([field, target]) => {
    const of = repositoryNamed(target)
    const id = isFields(value) ? value[field] : undefined
    const key = of === undefined || id == null ? null : keyOfId(of, id)
    return key === null
      ? []
      : [{ label: `${field} → ${target}`, href: hrefOf({ repository: target, row: keyName(key) }) }]
  })
}

function parents({ name, pattern }: Repository, { key }: Row): Relation[] {
  const all = catalog.value?.repositories ?? []
  return all
    .filter((it) => it.nested.includes(name) && it.pattern.length < pattern.length)
    .map((it) => {
      const parent = key.slice(0, it.pattern.length)
      return { label: `in ${it.name}`, href: hrefOf({ repository: it.name, row: keyName(parent) }) }
    })
}

function nested({ nested: names }: Repository, id: readonly KeyPart[]): Relation[] {
  return names.map((name) => ({
    label: `its ${name}`,
    href: hrefOf({ repository: name, query: queryText({ prefix: id }) }),
  }))
}

function referrers({ name }: Repository, id: readonly KeyPart[]): Relation[] {
  return (catalog.value?.repositories ?? []).flatMap((other) =>
    Object.entries(other.references)
      .filter(([, target]) => target === name)
      .map(([field]) => {
        const where = { [fieldName(field)]: id.length === 1 ? id[0] : [...id] }
        return {
          label: `${other.name} by ${field}`,
          href: hrefOf({ repository: other.name, query: queryText({ where }) }),
        }
      }),
  )
}

/** The parts of a key in the places of the wildcards. */
function idOf({ pattern }: Repository, key: Key): KeyPart[] {
  return key.filter((_, at) => pattern[at] === '*')
}

function keyOfId({ pattern }: Repository, id: unknown): Key | null {
  const wildcards = pattern.filter((part) => part === '*').length
  const parts = [...(wildcards === 1 ? [id] : Array.isArray(id) ? id : [])] as KeyPart[]
  if (parts.length !== wildcards) return null
  return pattern.map((part) => (part === '*' ? parts.shift()! : (part as KeyPart)))
}
