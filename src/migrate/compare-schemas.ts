import type { JsonSchema } from '../schema/json-schema.ts'
import { accepts, constraintsOf, sameConstraints, valuesOf } from './accepts.ts'
import type { DecideRename } from './renames.ts'
import { type FieldPath, pathText, type SchemaComparison, type ValueChange } from './value-change.ts'

/** A default that the schema fills in; undefined where there is none that JSON can hold. */
export type DefaultOf = (path: FieldPath) => unknown

interface Context {
  readonly repository: string
  readonly decide: DecideRename
  readonly defaultOf: DefaultOf
  readonly changes: ValueChange[]
  readonly reasons: string[]
}

/**
 * Tells in what stored values have to change for a new schema to accept them. Where two fields look like one that was
 * renamed, `decide` is asked.
 */
export async function compareSchemas(
  last: JsonSchema | null,
  next: JsonSchema | null,
  repository: string,
  decide: DecideRename,
  defaultOf: DefaultOf,
): Promise<SchemaComparison> {
  const context: Context = { repository, decide, defaultOf, changes: [], reasons: [] }
  if (last === null || next === null) {
    // A library that cannot tell JSON Schema leaves nothing to compare.
    return {
      changes: [],
      reasons: last === next ? [] : ['the schema could not be told before, or cannot now'],
    }
  }
  await compare(last, next, [], context)
  const { changes, reasons } = context
  if (changes.length > 0 && reasons.length === 0 && mayHoldCycles(last)) {
    reasons.push('values may hold themselves, or what JSON Schema has no word for')
  }
  return { changes, reasons }
}

async function compare(last: JsonSchema, next: JsonSchema, path: FieldPath, context: Context): Promise<void> {
  if (sameConstraints(last, next)) return
  const before = objectOf(last)
  const after = objectOf(next)
  if (before !== null && after !== null) return compareObjects(before, after, path, context)
  const renamed = await renamedValue(last, next, path, context)
  if (renamed || accepts(next, last)) return
  context.reasons.push(`${pathText(path) || 'the value'} has another type: ${brief(last)} → ${brief(next)}`)
}

async function compareObjects(before: Shape, after: Shape, path: FieldPath, context: Context): Promise<void> {
  const { changes, reasons } = context
  const removed = Object.keys(before.properties).filter((name) => !(name in after.properties))
  const added = Object.keys(after.properties).filter((name) => !(name in before.properties))
  for (const name of [...removed]) {
    const schema = before.properties[name]!
    const fits = added.filter((candidate) => {
      const optional = !before.required.has(name) && after.required.has(candidate)
      return !optional && accepts(after.properties[candidate]!, schema)
    })
    const likely = [...fits, ...added.filter((it) => !fits.includes(it))]
    for (const to of likely) {
      const rename = {
        repository: context.repository,
        field: pathText([...path, name]),
        value: undefined,
        to,
      }
      if (!(await context.decide(rename, fits.includes(to)))) continue
      changes.push({ type: 'rename', path: [...path, name], to })
      removed.splice(removed.indexOf(name), 1)
      added.splice(added.indexOf(to), 1)
      if (!before.required.has(name)) requireIfMissing([...path, to], after, context)
      await compare(schema, after.properties[to]!, [...path, to], context)
      break
    }
  }
  for (const name of removed) changes.push({ type: 'remove', path: [...path, name] })
  for (const name of added) requireIfMissing([...path, name], after, context)
  for (const [name, schema] of Object.entries(before.properties)) {
    const wanted = after.properties[name]
    if (wanted === undefined) continue
    if (!before.required.has(name)) requireIfMissing([...path, name], after, context)
    await compare(schema, wanted, [...path, name], context)
  }
  const unsafe = changes.find((change) => change.path.some((name) => /["'\\\p{Cc}]/u.test(name)))
  if (unsafe) reasons.push(`${pathText(unsafe.path)} cannot be written as a path in SQL`)
}

/** A field that must be there now, and may be absent in what is stored. */
function requireIfMissing(path: FieldPath, after: Shape, { changes, reasons, defaultOf }: Context): void {
  const name = path.at(-1)!
  if (!after.required.has(name)) return
  const value = defaultOf(path)
  if (value !== undefined) changes.push({ type: 'add', path, value })
  else reasons.push(`${pathText(path)} is required, and has no default that JSON can hold`)
}

async function renamedValue(
  last: JsonSchema,
  next: JsonSchema,
  path: FieldPath,
  context: Context,
): Promise<boolean> {
  const before = valuesOf(last)
  const after = valuesOf(next)
  if (before === undefined || after === undefined || path.length === 0) return false
  const removed = before.filter((it) => !after.includes(it))
  const added = after.filter((it) => !before.includes(it))
  const found: ValueChange[] = []
  for (const from of removed) {
    for (const to of [...added]) {
      if (typeof from !== 'string' || typeof to !== 'string') continue
      const rename = { repository: context.repository, field: pathText(path), value: from, to }
      if (!(await context.decide(rename, true))) continue
      found.push({ type: 'replace', path, from, to })
      added.splice(added.indexOf(to), 1)
      break
    }
  }
  if (removed.length === 0 || found.length < removed.length) return false
  context.changes.push(...found)
  return true
}

interface Shape {
  readonly properties: { readonly [name: string]: JsonSchema }
  readonly required: ReadonlySet<string>
}

/** A schema of an object with named fields, and with nothing else that could refuse a value. */
function objectOf(schema: JsonSchema): Shape | null {
  const { type, properties, required = [], additionalProperties, ...others } = constraintsOf(schema)
  if (type !== 'object' || typeof properties !== 'object' || Object.keys(others).length > 0) return null
  if (typeof additionalProperties === 'object' && additionalProperties !== null) return null
  return {
    properties: properties as Shape['properties'],
    required: new Set(required as readonly string[]),
  }
}

/** Only a recursive schema, or one that accepts anything, lets a value hold itself: its types are no list of paths. */
function mayHoldCycles(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  if (Array.isArray(schema)) return schema.some(mayHoldCycles)
  const { properties, $defs, ...rest } = constraintsOf(schema as JsonSchema)
  const named = [...Object.values(properties ?? {}), ...Object.values($defs ?? {})]
  if ('$ref' in rest || (Object.keys(rest).length === 0 && named.length === 0)) return true
  return [...named, ...Object.values(rest)].some(mayHoldCycles)
}

function brief(schema: JsonSchema): string {
  return JSON.stringify(constraintsOf(schema)).slice(0, 80)
}
