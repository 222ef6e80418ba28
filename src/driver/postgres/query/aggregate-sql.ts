// An aggregate is one SELECT, whose measures, groups, conditions and order share columns, so they are built together.
import { type SQL, sql } from 'drizzle-orm'
import { QueryError } from '../../../contract/errors.ts'
import { operandAt, type Slot } from '../../../query/operand.ts'
import type { AggregatePlan, Direction, HavingCondition, Measure } from '../../../query/plan.ts'
import { type Field, isBigint } from '../../../schema/fields.ts'
import type { Figures } from '../../driver.ts'
import type { Row } from '../server/statement.types.ts'
import { type FieldColumn, formOf, noNumber } from '../tables/field-columns.ts'
import { unescapeJson, unescapeText } from '../values/json-text.ts'
import { bind, bound } from './binding.ts'
import { type FieldSql, orderBy } from './field-sql.ts'
import { allOf, type Source, selectionSql } from './find-sql.ts'

const signs = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' }

type Figure = Figures[number]

/** Columns of a statement, and the figures in them. */
interface Part {
  readonly columns: readonly SQL[]
  readonly read: (values: readonly unknown[]) => readonly Figure[]
}

/** A statement with one row for each group, and how to make figures of a row. */
export interface AggregateSql {
  readonly sql: SQL
  readonly read: (row: Row) => Figures
}

export function aggregateSql(plan: AggregatePlan, fields: FieldSql, source: Source): AggregateSql {
  const figures = new FigureSql(fields)
  const groups = plan.groupBy.map((field) => groupOf(field, fields))
  const parts = [...groups, ...plan.measures.map((measure) => figures.partOf(measure))]
  const order = [
    ...plan.order.map(({ by, direction }) =>
      'name' in by ? orderBy(figures.columnsOf(by), direction) : figures.groupOrder(by, direction),
    ),
    ...plan.groupBy.flatMap((field) => {
      const { kind, meaning } = fields.identityOf(field)
      const others = [kind, meaning].filter((one) => one !== null)
      return [fields.orderOf(field, 'asc'), ...others.map((one) => sql`${one} COLLATE "C" NULLS FIRST`)]
    }),
  ]
  const having = plan.having === null ? null : figures.having(plan.having)
  const refusals = figures.refusals.map(({ sql }) => sql)
  const columns = [...parts.flatMap((part) => part.columns), ...refusals]
  const clauses = [
    sql`SELECT ${list([...columns, source.catalog])} FROM ${source.rows} WHERE ${allOf(selectionSql(plan, fields))}`,
    ...(groups.length === 0 ? [] : [sql`GROUP BY ${list(groups.flatMap((part) => part.columns))}`]),
    // A group that must be refused is always reported, whatever its figures are.
    ...(having === null ? [] : [sql`HAVING ${sql.join([having, ...refusals], sql.raw(' OR '))}`]),
    ...(order.length === 0
      ? []
      : [sql`ORDER BY ${list([...refusals.map((one) => sql`${one} DESC`), ...order])}`]),
    ...(plan.limit === null ? [] : [sql`LIMIT ${bound(plan.limit)}`]),
  ]
  return {
    sql: sql.join(clauses, sql.raw(' ')),
    read: (row) => {
      let at = 0
      const read: Figure[] = []
      for (const part of parts) {
        read.push(...part.read(row.slice(at, at + part.columns.length)))
        at += part.columns.length
      }
      const refused = figures.refusals.find((_, place) => row[at + place] === true)
      if (refused !== undefined) throw new QueryError(refused.message)
      return read
    },
  }
}

/** The columns of a group: the value, its JSON type, and what its text stands for. */
function groupOf(field: Field, fields: FieldSql): Part {
  const { value, kind, meaning } = fields.identityOf(field)
  const columns = [...value.map((column) => column.sql), kind, meaning].filter((one) => one !== null)
  return {
    columns,
    read: (values) => {
      const [ofKind, ofMeaning] = [kind, meaning].map((one) =>
        one === null ? null : (values[columns.indexOf(one)] as string | null),
      )
      return [figureAt(value, values, ofKind === 'object' || ofKind === 'array'), ofKind!, ofMeaning!]
    },
  }
}

/** The value in the columns of a field. */
function figureAt(columns: readonly FieldColumn[], values: readonly unknown[], isJson: boolean): Figure {
  const [first, second] = values as readonly [Figure, string]
  if (first === null) return null
  const isText = columns[0]!.type === 'text' || (columns.length > 1 && Number.isNaN(first))
  if (!isText) return columns[0]!.type === 'numeric' ? first : Number(first) + 0
  const text = columns.length > 1 ? second : String(first)
  return isJson ? unescapeJson(text) : unescapeText(text)
}

/** The figures of an aggregate in SQL. */
class FigureSql {
  readonly #fields: FieldSql
  readonly #refusals = new Map<string, SQL>()

  constructor(fields: FieldSql) {
    this.#fields = fields
  }

  /** Whether a group has a bigint that cannot be ordered or added, and the message for it. */
  get refusals(): { readonly message: string; readonly sql: SQL }[] {
    return [...this.#refusals].map(([message, sql]) => ({ message, sql }))
  }

  partOf(measure: Measure): Part {
    const { name, field } = measure
    const columns = this.columnsOf(measure)
    const ofFigure = columns.map((column) => column.sql)
    if (name === 'min' || name === 'max') {
      const read = (values: readonly unknown[]) => figureAt(columns, values, false)
      const meaning = this.#someMeaning(field!)
      if (meaning === null) return { columns: ofFigure, read: (values) => [read(values), null] }
      return {
        columns: [...ofFigure, meaning],
        read: (values) => [read(values), values.at(-1) as string | null],
      }
    }
    const isDigits = name === 'sum' && isBigint(field!.types)
    const read = ([value]: readonly unknown[]) =>
      value === null || isDigits ? (value as Figure) : Number(value)
    return { columns: ofFigure, read: (values) => [read(values)] }
  }

  /** The columns by which a figure is compared and ordered. */
  columnsOf({ name, field }: Measure): readonly FieldColumn[] {
    if (field === null) return [{ sql: sql.raw('count(*)'), type: 'numeric' }]
    const form = formOf(field.types)
    const call = sql.raw(name)
    switch (name) {
      case 'count':
      case 'countDistinct':
        return [{ sql: this.#countDistinct(field), type: 'numeric' }]
      case 'sum':
      case 'avg': {
        if (form === 'bigint') {
          const digits = this.#fields.firstOf(field)
          return [{ sql: name === 'sum' ? sql`sum(${digits})` : average(digits), type: 'numeric' }]
        }
        return [{ sql: total(name, this.#added(field, name)), type: 'numeric' }]
      }
      case 'min':
      case 'max': {
        if (form !== 'any') {
          const [column] = this.#fields.columnsOf(field)
          return [{ sql: sql`${call}(${column!.sql})`, type: column!.type }]
        }
        return this.#extreme(name, field)
      }
    }
  }

  /** The least number, or, if there is none, the least text; for the greatest, the other way round. */
  #extreme(name: 'min' | 'max', field: Field): readonly FieldColumn[] {
    if (field.types.bigint) this.#refuse(name, field)
    const call = sql.raw(name)
    const number = sql`${call}(${this.#number(field, 'float8')})`
    const { string, date, structure, bigint } = field.types
    if (!string && !date && !structure && !bigint) return [{ sql: number, type: 'float8' }]
    const text = sql`${call}(${this.#text(field)})`
    const [none, some] =
      name === 'min' ? [sql`${number} IS NULL`, sql`${number}`] : [sql`${text} IS NOT NULL`, sql`${number}`]
    return [
      {
        sql: sql`CASE WHEN ${text} IS NOT NULL AND ${none} THEN ${noNumber} ELSE ${some} END`,
        type: 'float8',
      },
      { sql: sql`CASE WHEN ${none} THEN ${text} ELSE '' END`, type: 'text' },
    ]
  }

  #added(field: Field, name: string): SQL {
    if (field.types.bigint) this.#refuse(name, field)
    return this.#number({ ...field, types: { ...field.types, boolean: false } }, 'numeric')
  }

  /**
   * A field as a number. The infinities, stored as texts, are numbers; null for NaN, which has no order. Sums are `numeric`,
   * because the server refuses a sum that does not fit in a `float8`.
   */
  #number(field: Field, type: 'float8' | 'numeric'): SQL {
    const { text } = this.#fields.placeOf(field)
    const { string, date, structure, bigint, boolean, number } = field.types
    const as = sql.raw(type)
    const infinite = sql`CASE ${text} WHEN 'Infinity' THEN 'Infinity'::${as} WHEN '-Infinity' THEN '-Infinity'::${as} END`
    const isMixed = string || date || structure || bigint
    const ofText = isMixed
      ? sql`CASE ${this.#fields.meaningOf(field)} WHEN 'number' THEN ${infinite} END`
      : infinite
    return sql`CASE ${this.#fields.typeOf(field)} WHEN 'number' THEN ${text}::${as}${
      boolean ? sql` WHEN 'boolean' THEN CASE ${text} WHEN 'true' THEN 1 ELSE 0 END` : sql.empty()
    }${number ? sql` WHEN 'string' THEN ${ofText}` : sql.empty()} END`
  }

  /** A field as a text, if it is not a number. */
  #text(field: Field): SQL {
    const { text } = this.#fields.placeOf(field)
    const ofText = field.types.number
      ? sql`CASE WHEN ${this.#fields.meaningOf(field)} IS DISTINCT FROM 'number' THEN ${text} END`
      : text
    return sql`(CASE ${this.#fields.typeOf(field)} WHEN 'string' THEN ${ofText} END COLLATE "C")`
  }

  #countDistinct(field: Field): SQL {
    const { value, kind, meaning } = this.#fields.identityOf(field)
    const parts = [...value.map((column) => column.sql), kind, meaning].filter((one) => one !== null)
    if (parts.length === 1) return sql`count(DISTINCT ${parts[0]!})`
    return sql`count(DISTINCT (${list(parts)})) FILTER (WHERE ${this.#fields.firstOf(field)} IS NOT NULL)`
  }

  /** What the texts of a field stand for; null if there is only one possibility. */
  #someMeaning(field: Field): SQL | null {
    const { string, date, bigint, structure } = field.types
    const isMixed = [string || structure, date, bigint].filter(Boolean).length > 1
    if (!isMixed) return null
    return sql`max(CASE ${this.#fields.typeOf(field)} WHEN 'string' THEN nullif(${this.#fields.meaningOf(field)}, 'number') END)`
  }

  groupOrder(field: Field, direction: Direction): SQL {
    if (field.types.bigint && !isBigint(field.types)) this.#refuse('orderBy', field)
    return this.#fields.orderOf(field, direction)
  }

  #refuse(name: string, field: Field): void {
    const message = `${name} cannot take ${JSON.stringify(field.path)}: bigints among other values have no order and no sum; declare it as a bigint in the schema`
    const isBigint = sql`${this.#fields.typeOf(field)} = 'string' AND ${this.#fields.meaningOf(field)} = 'bigint'`
    this.#refusals.set(message, sql`coalesce(bool_or(${isBigint}), FALSE)`)
  }

  having(condition: HavingCondition): SQL {
    switch (condition.type) {
      case 'and':
      case 'or': {
        if (condition.conditions.length === 0) return sql.raw('TRUE')
        const inner = condition.conditions.map((one) => this.having(one))
        return sql`(${sql.join(inner, sql.raw(` ${condition.type} `))})`
      }
      case 'not':
        return sql`NOT (${this.having(condition.condition)})`
      case 'compare':
        return this.#compare(condition)
    }
  }

  #compare({ measure, operator, operand }: Extract<HavingCondition, { type: 'compare' }>): SQL {
    const columns = this.columnsOf(measure)
    const first = columns[0]!
    const sign = sql.raw(signs[operator])
    if (operand.type === 'number' && first.type === 'numeric')
      return sql`${first.sql} ${sign} ${boundNumeric(operand)}`
    if (operand.type !== 'text' || columns.length === 1) return sql`${first.sql} ${sign} ${bound(operand)}`
    const compared = sql`${columns[1]!.sql} ${sign} ${bound(operand)}`
    // Numbers come before all texts.
    return operator === 'lt' || operator === 'lte' || operator === 'ne'
      ? sql`(${first.sql} < ${noNumber} OR (${first.sql} = ${noNumber} AND ${compared}))`
      : sql`(${first.sql} = ${noNumber} AND ${compared})`
  }
}

/** A sum or average of numbers as in floating point: too large a result is infinite, and infinities of both signs give null. */
function total(name: 'sum' | 'avg', added: SQL): SQL {
  const sum = sql`sum(${added})`
  const largest = sql.raw(String(Number.MAX_VALUE))
  return sql`CASE WHEN ${sum} = 'NaN' THEN NULL WHEN ${sum} > ${largest} THEN 'Infinity'::numeric WHEN ${sum} < -${largest} THEN '-Infinity'::numeric ELSE ${name === 'sum' ? sum : average(added)} END`
}

/** With more digits than a number of JavaScript has: the server's own average has so few that it is another number at times. */
function average(added: SQL): SQL {
  return sql`sum(${added}) * ${sql.raw(`1.${'0'.repeat(40)}`)} / nullif(count(${added}), 0)`
}

/** A number as exact as its text: a cast from `float8` would round it. */
function boundNumeric(slot: Slot<'number'>): SQL {
  return bind((operands) => operandAt(operands, slot), 'numeric')
}

function list(parts: readonly SQL[]): SQL {
  return sql.join([...parts], sql.raw(', '))
}
