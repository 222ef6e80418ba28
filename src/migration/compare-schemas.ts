import type { Move } from '../catalog/move-order.ts'
import {
  type FieldPath,
  pathText,
  type SchemaComparison,
  type ValueChange,
  wordsOf,
} from '../catalog/value-change.ts'
import { accepts, sameConstraints, valuesOf } from '../schema/accepts.ts'
import { constraintsOf } from '../schema/constraints.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import { holdsAnything, isRecursive, objectOf, type Shape } from './json-shape.ts'
import type { RenameDecisions } from './renames.ts'

/** The default that the schema fills in; undefined if there is none, or none that JSON can express. */
export type DefaultOf = (path: FieldPath) => unknown

interface Context {
  readonly repository: readonly [last: string, next: string]
  readonly decisions: RenameDecisions
  readonly defaultOf: DefaultOf
  readonly changes: ValueChange[]
  readonly reasons: string[]
}

/** The place of a value: by the names before the migration, and by the present ones. */
interface Place {
  readonly was: FieldPath
  readonly path: FieldPath
}

/** Finds how stored values must change for a new schema to accept them. If a field may have been renamed, asks the user. */
export async function compareSchemas(
  last: JsonSchema | null,
  next: JsonSchema | null,
  repository: readonly [last: string, next: string],
  decisions: RenameDecisions,
  defaultOf: DefaultOf,
  isWritable: (word: string) => boolean,
): Promise<SchemaComparison> {
  const context: Context = { repository, decisions, defaultOf, changes: [], reasons: [] }
  if (last === null || next === null) {
    // If a library cannot describe its schema as JSON Schema, there is nothing to compare.
    return {
      changes: [],
      reasons: last === next ? [] : ['the schema had no JSON Schema before, or has none now'],
    }
  }
  await compare(last, next, { was: [], path: [] }, context)
  const { changes, reasons } = context
  const unwritable = changes.flatMap(wordsOf).find((word) => !isWritable(word))
  if (unwritable !== undefined) reasons.push(`${JSON.stringify(unwritable)} cannot be written in SQL`)
  const moves = changes.some(({ type }) => type === 'remove' || type === 'rename')
  if (changes.length > 0 && isRecursive(last)) reasons.push('the schema is recursive')
  else if (moves && reasons.length === 0 && holdsAnything(last)) {
    reasons.push('values may contain themselves, or things that JSON Schema cannot describe')
  }
  return { changes, reasons }
}

async function compare(last: JsonSchema, next: JsonSchema, place: Place, context: Context): Promise<void> {
  const before = objectOf(last)
  const after = objectOf(next)
  if (before !== null && after !== null) return compareObjects(before, after, place, context)
  const name = pathText(place.path) || 'the value'
  const narrowed = narrowedUnsaid(last, next)
  if (narrowed !== null) {
    context.reasons.push(`${name} ${narrowed}`)
    return
  }
  if (sameConstraints(last, next)) return
  if ((await compareValues(last, next, place, context)) || accepts(next, last)) return
  context.reasons.push(`${name} has another type: ${brief(last)} → ${brief(next)}`)
}

/**
 * What a schema refuses now that JSON Schema has no words for: a pattern with lost or changed flags, or undefined items; `null` if nothing.
 * It may have gained them: snapshots of earlier releases have none.
 */
export function narrowedUnsaid(last: unknown, next: unknown): string | null {
  if (typeof last !== 'object' || last === null || typeof next !== 'object' || next === null) return null
  const [before, after] = [last as JsonSchema, next as JsonSchema]
  const { pattern, flags } = before
  if (typeof pattern === 'string' && pattern === after['pattern'] && typeof flags === 'string')
    if (flags !== after['flags']) return 'has a pattern with other flags'
  if (before['undefinedItems'] === true && after['type'] === 'array' && after['undefinedItems'] !== true)
    return 'has items that may not be undefined any more'
  for (const name of Object.keys(before)) {
    const narrowed = narrowedUnsaid(before[name], after[name])
    if (narrowed !== null) return narrowed
  }
  return null
}

async function compareObjects(before: Shape, after: Shape, place: Place, context: Context): Promise<void> {
  const { changes } = context
  const { was, path } = place
  const pairs = await pairFields(before, after, place, context)
  const kept = new Set(pairs.values())
  for (const name of Object.keys(before.properties)) {
    if (!pairs.has(name)) changes.push({ type: 'remove', path: [...path, name], was: [...was, name] })
  }
  const moves: Move[] = [...pairs].filter(([from, to]) => from !== to)
  if (moves.length > 0) {
    let spare = '~'
    while (Object.hasOwn(before.properties, spare) || Object.hasOwn(after.properties, spare)) spare += '~'
    changes.push({ type: 'rename', path, was, moves, spare })
  }
  for (const name of Object.keys(after.properties)) {
    if (!kept.has(name)) fillIn([...path, name], after.required.has(name), context)
  }
  for (const [from, to] of pairs) {
    if (!before.required.has(from) && after.required.has(to)) fillIn([...path, to], true, context)
    const inner = { was: [...was, from], path: [...path, to] }
    await compare(before.properties[from]!, after.properties[to]!, inner, context)
  }
}

/** Pairs old fields with new ones, without those that are gone. */
async function pairFields(
  before: Shape,
  after: Shape,
  { was, path }: Place,
  { repository, decisions }: Context,
): Promise<Map<string, string>> {
  const pairs = new Map<string, string>()
  const free = new Set(Object.keys(after.properties))
  const names = Object.keys(before.properties)
  const renameOf = (from: string, to: string) => ({
    repository,
    field: [
      [...was, from],
      [...path, from],
    ] as const,
    to,
  })
  const fits = (from: string, to: string) =>
    (before.required.has(from) || !after.required.has(to)) &&
    accepts(after.properties[to]!, before.properties[from]!)
  const find = (isPair: (from: string, to: string) => boolean) => {
    for (const from of names) {
      for (const to of free) {
        if (pairs.has(from) || !isPair(from, to)) continue
        pairs.set(from, to)
        free.delete(to)
      }
    }
  }
  find((from, to) => from !== to && decisions.isGiven(renameOf(from, to)))
  find((from, to) => from === to)
  for (const from of names.filter((name) => !pairs.has(name))) {
    const candidates = [...free].filter((to) => fits(from, to))
    const to = await decisions.chosen(candidates, (it) => renameOf(from, it))
    if (to === undefined) continue
    pairs.set(from, to)
    free.delete(to)
  }
  return pairs
}

/** A field that stored values may lack. */
function fillIn(path: FieldPath, isRequired: boolean, { changes, reasons, defaultOf }: Context): void {
  const value = defaultOf(path)
  if (value !== undefined) changes.push({ type: 'add', path, value })
  else if (isRequired) reasons.push(`${pathText(path)} is required, and has no default that JSON can hold`)
}

/** Whether the new schema names other values, and each missing one was renamed to one of them. */
async function compareValues(
  last: JsonSchema,
  next: JsonSchema,
  { was, path }: Place,
  { repository, decisions, changes }: Context,
): Promise<boolean> {
  const before = valuesOf(last)
  const after = valuesOf(next)
  if (before === undefined || after === undefined || path.length === 0) return false
  const removed = before.filter((it) => !after.includes(it))
  const added = after.filter((it) => !before.includes(it))
  const found: ValueChange[] = []
  for (const from of removed) {
    if (typeof from !== 'string') continue
    const renameOf = (to: string) => ({ repository, field: [was, path] as const, value: from, to })
    const texts = after.filter((it) => typeof it === 'string')
    const isFree = (it: string) =>
      added.includes(it) && !found.some((change) => 'to' in change && change.to === it)
    const to =
      texts.find((it) => decisions.isGiven(renameOf(it))) ??
      (await decisions.chosen(texts.filter(isFree), renameOf))
    if (to !== undefined) found.push({ type: 'replace', path, was, from, to })
  }
  if (removed.length === 0 || found.length < removed.length) return false
  changes.push(...found)
  return true
}

function brief(schema: JsonSchema): string {
  return JSON.stringify(constraintsOf(schema)).slice(0, 80)
}
