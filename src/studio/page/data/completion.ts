import type {
  Completion,
  CompletionContext,
  CompletionResult,
  CompletionSource,
} from '@codemirror/autocomplete'
import { operators } from '../../../query/operators.ts'
import type { JsonSchema } from '../../../schema/json-schema.ts'
import { type Repository, repositoryNamed } from './catalog.ts'
import { resolved, typeName } from './columns.ts'

/** A position in a text: the names of the objects around it, outermost first, and whether a value belongs there. */
interface Place {
  readonly path: readonly string[]
  readonly isValue: boolean
}

/** The position after an incomplete text. */
function placeBehind(text: string): Place {
  const path: string[] = []
  const opened: ('{' | '[' | '(')[] = []
  let name = ''
  let isValue = true
  const tokens = /'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|[\p{ID_Start}$_][\p{ID_Continue}$]*|[{}[\](),:]|./gsu
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{' || token === '[' || token === '(') {
      opened.push(token)
      path.push(token === '{' && isValue ? name : '')
      name = ''
      isValue = token !== '{'
    } else if (token === '}' || token === ']' || token === ')') {
      opened.pop()
      path.pop()
      isValue = false
    } else if (token === ',') {
      isValue = opened.at(-1) !== '{'
      name = ''
    } else if (token === ':') isValue = true
    else if (/\S/.test(token) && !isValue) name = token.replace(/^['"]|['"]$/g, '')
  }
  return {
    path: [...path, ...(isValue ? [name] : [])].filter((it) => it !== ''),
    isValue: isValue && name !== '',
  }
}

/** Completes a query of a repository from its schema. */
export function queryCompletion(repository: Repository): CompletionSource {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[\p{ID_Continue}$]*/u)
    if (
      word === null ||
      (word.from === word.to && !context.explicit && !/[{,:\s]$/.test(context.state.sliceDoc(0, word.from)))
    )
      return null
    const place = placeBehind(context.state.sliceDoc(0, word.from))
    const options = optionsOf(repository, place)
    return options.length === 0 ? null : { from: word.from, options, validFor: /^[\p{ID_Continue}$]*$/u }
  }
}

function optionsOf(repository: Repository, { path, isValue }: Place): Completion[] {
  const [part, ...rest] = path
  if (part === undefined) return isValue ? [] : clauses
  if (part === 'where') return conditionOptions(repository, rest, isValue)
  if (part === 'orderBy') {
    if (isValue) return directions
    if (rest.length > 0) return []
    return [...fieldOptions(repository.schema, repository.schema), idOption, ...rankOptions(repository)]
  }
  if (part === 'with') return withOptions(repository, rest, isValue)
  if (part === 'columns')
    return isValue ? [named('true', '')] : fieldOptions(repository.schema, repository.schema)
  // A condition alone.
  return conditionOptions(repository, path, isValue)
}

function conditionOptions(repository: Repository, names: readonly string[], isValue: boolean): Completion[] {
  const path = names.filter((name) => !connectives.has(name))
  const at = fieldAt(
    repository.schema,
    path.filter((name) => !Object.hasOwn(operators, name)),
  )
  if (isValue) return valueOptions(at, repository.schema)
  if (path.length === 0)
    return [
      ...fieldOptions(repository.schema, repository.schema),
      idOption,
      ...searchOptions(repository),
      ...joins,
    ]
  const fields = at === null ? [] : fieldOptions(at, repository.schema)
  return fields.length > 0 ? fields : operatorOptions(at === null ? '' : typeName(at, repository.schema))
}

function withOptions(repository: Repository, path: readonly string[], isValue: boolean): Completion[] {
  const [name, ...rest] = path
  const target = name === undefined ? undefined : repositoryNamed(repository.references[name] ?? name)
  if (target === undefined) {
    const names = [...repository.nested, ...Object.keys(repository.references)]
    return isValue ? [] : names.map((it) => named(it, repository.references[it] ?? 'nested'))
  }
  if (isValue && rest.length === 0) return [named('true', 'all of them')]
  return optionsOf(target, { path: rest, isValue })
}

/** The schema of the field with these names; null if there is none. */
function fieldAt(root: JsonSchema | null, path: readonly string[]): JsonSchema | null {
  let schema = root
  for (const name of path) {
    const fields = schema === null ? {} : propertiesOf(schema, root)
    const found = Object.hasOwn(fields, name) ? fields[name]! : null
    schema = found === null ? null : resolved(found, root)
  }
  return schema
}

function propertiesOf(given: JsonSchema, root: JsonSchema | null): { readonly [name: string]: JsonSchema } {
  const schema = resolved(given, root)
  const parts = ['anyOf', 'oneOf', 'allOf'].flatMap(
    (keyword) => (schema[keyword] as JsonSchema[] | undefined) ?? [],
  )
  const items = schema['items'] === undefined ? [] : [schema['items'] as JsonSchema]
  return Object.assign(
    {},
    ...[...parts, ...items].map((part) => propertiesOf(part, root)),
    schema['properties'],
  )
}

function fieldOptions(schema: JsonSchema | null, root: JsonSchema | null): Completion[] {
  if (schema === null) return []
  return Object.entries(propertiesOf(schema, root)).map(([name, of]) => ({
    label: name,
    detail: typeName(of, root),
    type: 'property',
    apply: /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name),
  }))
}

function valueOptions(schema: JsonSchema | null, root: JsonSchema | null): Completion[] {
  if (schema === null) return []
  const type = typeName(schema, root)
  if (type === 'boolean') return [named('true', ''), named('false', '')]
  if (type === 'Date') return [named(`new Date('${new Date().toISOString()}')`, 'now')]
  return type.startsWith("'") ? type.split(' | ').map((it) => named(it, '')) : []
}

const named = (label: string, detail: string): Completion => ({ label, detail, type: 'keyword' })
const clauses = [
  named('where', 'which rows'),
  named('orderBy', 'in which order'),
  named('with', 'related rows'),
  named('columns', 'some fields only'),
  named('prefix', 'leading ids'),
  named('limit', 'at most'),
]
const directions = [named("'asc'", 'ascending'), named("'desc'", 'descending')]
const idOption = named('$id', 'the id')
const searchOptions = ({ searched }: Repository) =>
  searched.length === 0 ? [] : [named('$search', `words in ${searched.join(', ')}`)]
const rankOptions = ({ searched }: Repository) =>
  searched.length === 0 ? [] : [named('$rank', 'how well $search fits')]
const joins = [named('AND', 'all of'), named('OR', 'one of'), named('NOT', 'none of')]
const connectives: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT'])

const compared = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'notIn', 'isNull', 'isNotNull']
const ofArrays = ['arrayContains', 'some', 'every', 'none']

/** The operators that fit a field of this type. */
function operatorOptions(type: string): Completion[] {
  const isOrdered = ['number', 'integer', 'Date', 'bigint'].includes(type)
  const fits = (name: string) => {
    if (isOrdered) return compared.includes(name)
    if (type === 'array') return [...ofArrays, 'isNull', 'isNotNull'].includes(name)
    return type !== 'text' || !ofArrays.includes(name)
  }
  return Object.entries(operators).flatMap(([name, { meaning }]) =>
    fits(name) ? [named(name, meaning)] : [],
  )
}
