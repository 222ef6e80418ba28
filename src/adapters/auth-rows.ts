import type { CleanedWhere, CustomAdapter, JoinConfig } from 'better-auth/adapters'
import type { Key } from '../contract/key.types.ts'
import { toWhere } from './auth-where.ts'

type Row = Record<string, unknown> & { id: string | number }

/** The methods used of a repository whose schema comes from the options of better-auth. */
interface Rows {
  insert(id: string | number, value: Row): Promise<unknown>
  update(id: string | number, patch: object): Promise<unknown>
  delete(id: string | number): Promise<boolean>
  findFirst(query: object): Promise<{ readonly id: string | number; readonly value: Row } | null>
  findMany(query: object): Promise<readonly { readonly value: Row }[]>
  count(query: object): Promise<number>
  updateMany(query: object): Promise<{ readonly count: number }>
  deleteMany(query: object): Promise<{ readonly count: number }>
}

/** A database, or a unit of work on one. */
export interface RowsSource {
  repository(pattern: Key): unknown
  get(key: Key): Promise<{ readonly value: unknown }>
  set(key: Key, value: unknown): Promise<unknown>
}

/** Runs `work` in the unit of work that is running, or in a new one. */
export type InUnit = <T>(work: (unit: RowsSource) => Promise<T>) => Promise<T>

interface Target {
  readonly source: RowsSource
  readonly inUnit: InUnit
  readonly prefix: Key
  /** Whether ids are consecutive numbers. */
  readonly countsIds: boolean
  /** The name under which a field is stored. */
  fieldName(of: { readonly model: string; readonly field: string }): string
}

/** The calls of better-auth, on the rows of a database. */
export function authRows({ source, inUnit, prefix, countsIds, fieldName }: Target): CustomAdapter {
  const rowsOf = (model: string, of: RowsSource = source) => of.repository([...prefix, model, '*']) as Rows

  /** Changes one row that meets the conditions; null if there is none. Nobody else can change the row in between. */
  const changeOne = <T>(
    model: string,
    where: readonly CleanedWhere[],
    change: (row: Row, rows: Rows) => Promise<T>,
  ) =>
    inUnit(async (unit) => {
      const rows = rowsOf(model, unit)
      const found = await rows.findFirst({ where: toWhere(where) })
      return found === null ? null : change({ ...found.value }, rows)
    })

  const update = (model: string, where: readonly CleanedWhere[], patchOf: (row: Row) => object) =>
    changeOne(model, where, async (row, rows) => {
      const patch = patchOf(row)
      await rows.update(row.id, patch)
      return { ...row, ...patch }
    })

  const joined = async (found: readonly Row[], joins: JoinConfig | undefined): Promise<Row[]> => {
    const rows = found.map((row) => ({ ...row }))
    for (const [model, { on, relation, limit = 100 }] of Object.entries(joins ?? {})) {
      const values = [...new Set(rows.map((row) => row[on.from]).filter((value) => value != null))]
      const field = on.to === 'id' ? '$id' : on.to
      const related = await rowsOf(model).findMany({ where: { [field]: { in: values } } })
      const byValue = Map.groupBy(related, ({ value }) => value[on.to])
      for (const row of rows) {
        const own = (byValue.get(row[on.from]) ?? []).map(({ value }) => value)
        row[model] = relation === 'one-to-one' ? (own[0] ?? null) : own.slice(0, limit)
      }
    }
    return rows
  }

  return {
    async create({ model, data }) {
      if (!countsIds) {
        await rowsOf(model).insert((data as Record<string, unknown>)['id'] as string, data as never)
        return data
      }
      return inUnit(async (unit) => {
        const counter = [...prefix, model]
        const id = (((await unit.get(counter)).value as number | null) ?? 0) + 1
        await unit.set(counter, id)
        await rowsOf(model, unit).insert(id, { ...data, id })
        return { ...data, id }
      })
    },
    async findOne({ model, where, join }) {
      const found = await rowsOf(model).findFirst({ where: toWhere(where) })
      return found === null ? null : ((await joined([found.value], join))[0] as never)
    },
    async findMany({ model, where, limit, select = [], sortBy, offset, join }) {
      const found = await rowsOf(model).findMany({
        where: toWhere(where),
        limit,
        ...(offset !== undefined && { offset }),
        ...(sortBy && { orderBy: { [fieldName({ model, field: sortBy.field })]: sortBy.direction } }),
      })
      const rows = await joined(
        found.map(({ value }) => value),
        join,
      )
      if (select.length === 0) return rows as never[]
      const names = [...select.map((field) => fieldName({ model, field })), ...Object.keys(join ?? {})]
      return rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name]]))) as never[]
    },
    count: ({ model, where }) => rowsOf(model).count({ where: toWhere(where) }),
    update: ({ model, where, update: patch }) =>
      update(model, where, () => patch as object) as Promise<never>,
    updateMany: async ({ model, where, update: set }) =>
      (await rowsOf(model).updateMany({ where: toWhere(where), set })).count,
    async delete({ model, where }) {
      await rowsOf(model).deleteMany({ where: toWhere(where) })
    },
    deleteMany: async ({ model, where }) => (await rowsOf(model).deleteMany({ where: toWhere(where) })).count,
    consumeOne: ({ model, where }) =>
      changeOne(model, where, async (row, rows) => {
        await rows.delete(row.id)
        return row
      }) as Promise<never>,
    incrementOne: ({ model, where, increment, set = {} }) =>
      update(model, where, (row) => {
        const added = Object.entries(increment).map(([field, delta]) => [
          field,
          ((row[field] as number) ?? 0) + delta,
        ])
        return { ...Object.fromEntries(added), ...set }
      }) as Promise<never>,
  }
}
