import type { Figures as Row } from '../driver/driver.ts'
import type { Key } from '../key.types.ts'
import type { Field } from '../query/fields.ts'
import type { AggregatePlan } from '../query/plan.ts'
import { checkQueryOptions } from '../query/planner.ts'
import type { UncheckedAggregate } from '../query/unchecked.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { RowStore } from '../store/row-store.ts'
import { plannerOf, prefixKeys } from './planner-of.ts'

export interface UntypedAggregate extends UncheckedAggregate {
  readonly prefix?: Key
}

type Figures = Record<string, unknown>

const options = [
  'where',
  'prefix',
  'count',
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
  checkQueryOptions(query, 'aggregate', options)
  return plannerOf(definition).aggregate(query, prefixKeys(store, definition, query.prefix))
}

/** One object of figures; with `groupBy`, an array of them. */
export async function aggregate(
  store: RowStore,
  definition: AnyDefinition,
  query: UntypedAggregate,
): Promise<Figures | Figures[]> {
  store.assertOpen()
  const planned = planAggregate(store, definition, query)
  const rows = await store.driver.figures(planned)
  const figures = rows.map((row) => figuresOf(planned.plan, row))
  return query.groupBy === undefined ? (figures[0] ?? {}) : figures
}

function figuresOf({ groupBy, measures }: AggregatePlan, row: Row): Figures {
  const figures: Figures = {}
  let column = 0
  if (groupBy.length > 0) {
    const group: Record<string, unknown> = {}
    for (const field of groupBy) {
      group[field.path] = restore(
        row[column]!,
        row[column + 1] as string | null,
        row[column + 2] === 1,
        field,
      )
      column += 3
    }
    Object.assign(figures, { group })
  }
  for (const { name, field } of measures) {
    if (field === null) {
      Object.assign(figures, { count: row[column++] })
      continue
    }
    figures[name] ??= {}
    const byField = figures[name] as Record<string, unknown>
    const figure = row[column++]!
    byField[field.path] =
      name === 'min' || name === 'max' ? restore(figure, null, row[column++] === 1, field) : figure
  }
  return figures
}

/** A value as it was stored, of what SQLite makes of it. */
function restore(value: Row[number], kind: string | null, isDate: boolean, { types }: Field): unknown {
  if (kind === 'true' || kind === 'false') return kind === 'true'
  if (kind === 'object' || kind === 'array') return JSON.parse(value as string)
  if (isDate && typeof value === 'string') return new Date(value)
  const onlyBoolean = types.boolean && !types.number
  return onlyBoolean && typeof value === 'number' ? value === 1 : value
}
