import { checkQueryNames } from '../../arguments/option-names.ts'
import type { Key } from '../../contract/key.types.ts'
import type { Figures as Row } from '../../driver/driver.ts'
import type { AggregatePlan } from '../../query/plan.ts'
import type { UncheckedAggregate } from '../../query/unchecked.types.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import { type Field, type FieldTypes, isBigint } from '../../schema/fields.ts'
import type { RowStore } from '../../store/row-store.ts'
import { parseJson } from '../../value/parse-json.ts'
import { plannerOf, prefixKeys } from './planner-of.ts'

export interface UntypedAggregate extends UncheckedAggregate {
  readonly prefix?: Key
}

type Figures = Record<string, unknown>

const options = [
  'where',
  'prefix',
  'count',
  'countDistinct',
  'sum',
  'avg',
  'min',
  'max',
  'groupBy',
  'having',
  'orderBy',
  'limit',
]

function planAggregate(store: RowStore, definition: AnyDefinition, query: UntypedAggregate) {
  checkQueryNames(query, options, 'aggregate')
  const { prefix, ...rest } = query
  return plannerOf(definition).aggregate(rest, prefixKeys(store, definition, prefix))
}

/** One object of figures; an array of them with `groupBy`. */
export async function aggregate(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedAggregate,
): Promise<Figures | Figures[]> {
  store.assertOpen()
  const planned = planAggregate(store, definition, query)
  const rows = await store.read({ type: 'figures', query: planned })
  if (query.groupBy === undefined) return figuresOf(planned.plan, rows[0]!)
  return rows.map((row) => ({ group: groupOf(planned.plan, row), ...figuresOf(planned.plan, row) }))
}

const columnsPerGroup = 3

function groupOf({ groupBy }: AggregatePlan, row: Row): Figures {
  const group: Figures = {}
  for (const [i, field] of groupBy.entries()) {
    const [value, kind, meaning] = row.slice(columnsPerGroup * i)
    group[field.path] = restore(value!, kind as string | null, meaning as string | null, field)
  }
  return group
}

function figuresOf({ groupBy, measures }: AggregatePlan, row: Row): Figures {
  const figures: Figures = {}
  let column = columnsPerGroup * groupBy.length
  for (const { name, field } of measures) {
    const figure = row[column++]!
    if (field === null) {
      figures['count'] = figure
      continue
    }
    figures[name] ??= {}
    const byField = figures[name] as Figures
    byField[field.path] =
      name === 'min' || name === 'max'
        ? restore(figure, null, row[column++] as string | null, field)
        : name === 'sum' && figure !== null && isBigint(field.types)
          ? BigInt(figure)
          : figure
  }
  return figures
}

/** A value in its stored type, from what an engine returns. */
function restore(value: Row[number], kind: string | null, meaning: string | null, { types }: Field): unknown {
  if (kind === 'true' || kind === 'false') return kind === 'true'
  if (kind === 'object' || kind === 'array') return parseJson(value as string)
  if (typeof value === 'string') return restoreText(value, meaning ?? onlyMeaning(types))
  const onlyBoolean = types.boolean && !types.number
  return onlyBoolean && typeof value === 'number' ? value === 1 : value
}

/** A field may have both plain texts and texts with a meaning, so the least value may be either. */
function restoreText(text: string, meaning: string | null): unknown {
  if (meaning === 'Date' && dateText.test(text)) return new Date(text)
  if (meaning === 'bigint' && bigintText.test(text)) return BigInt(text)
  return meaning === 'number' ? Number(text) : text
}

/** What the texts of a field mean, if they can have only one meaning. */
function onlyMeaning(types: FieldTypes): string | null {
  const { number, string, date, bigint, structure } = types
  if (string || structure) return null
  const meanings = [number && 'number', date && 'Date', bigint && 'bigint'].filter((one) => one !== false)
  return meanings.length === 1 ? meanings[0]! : null
}

const dateText = /^([+-]\d\d)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const bigintText = /^-?\d+$/
