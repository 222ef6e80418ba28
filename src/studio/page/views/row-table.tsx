// Scrolling, selecting and loading rows are one component, because all three depend on what is in view.
import type { ReadonlySignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Repository } from '../data/catalog.ts'
import { type Column, columnsOf } from '../data/columns.ts'
import { fieldName } from '../data/query-text.ts'
import type { RowsModel } from '../data/rows-model.ts'
import type { FreshRows } from '../data/use-live-rows.ts'
import { useVirtualRows } from '../data/use-virtual-rows.ts'
import { Countdown } from '../parts/countdown.tsx'
import { ValueText } from '../parts/value-text.tsx'
import type { Row } from '../value/wire.ts'
import { Related } from './related-cell.tsx'

const rowHeight = 30
const headHeight = 32

interface RowTableProps {
  readonly repository: Repository
  readonly model: RowsModel
  readonly fresh: ReadonlySignal<FreshRows>
  readonly order: readonly [field: string, direction: 'asc' | 'desc'] | null
  /** The key of the row shown beside the table. */
  readonly selected: string | null
  /** Whether a query filters the rows. */
  readonly isAsked: boolean
  /** Removes the filter. */
  readonly onAll: () => void
  readonly onSort: (field: string) => void
  readonly onSelect: (name: string | null) => void
}

/** The rows in view that a query has found. */
export function RowTable(props: RowTableProps) {
  const { repository, model, fresh, order, selected, isAsked, onAll, onSort, onSelect } = props
  const place = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(0)
  const count = model.count.value ?? 0
  const visible = useVirtualRows(place, count, rowHeight, headHeight)
  const { first, last } = visible
  const version = model.changes.value
  const shown = model.loaded()
  const columns = useMemo(() => columnsOf(repository, shown.slice(0, 100)), [repository, version > 0])
  const relations = useMemo(
    () => [...new Set(shown.slice(0, 100).flatMap((row) => Object.keys(row.related)))],
    [version],
  )
  const expires = useMemo(() => shown.some(({ expiresAt }) => expiresAt !== null), [version])
  useEffect(() => {
    const timer = setTimeout(() => model.show(first, last), 20)
    return () => clearTimeout(timer)
  }, [model, first, last])
  useSteadyRows(model, visible)

  const move = (to: number) => {
    const next = Math.max(0, Math.min(count - 1, to))
    setActive(next)
    visible.reveal(next)
    const row = model.row(next)
    if (selected !== null && row !== undefined) onSelect(row.name)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((place.current?.clientHeight ?? 0) / rowHeight) - 2)
    const steps: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: count - 1,
    }
    const to = steps[event.key]
    if (to !== undefined) move(to)
    else if (event.key === 'Enter') onSelect(model.row(active)?.name ?? null)
    else if (event.key === 'Escape' && selected !== null) onSelect(null)
    else return
    event.preventDefault()
  }

  const width =
    56 + columns.reduce((sum, column) => sum + column.width, 0) + (expires ? 120 : 0) + relations.length * 240
  return (
    <>
      <div
        class="table"
        ref={place}
        role="grid"
        tabIndex={0}
        aria-label={`Rows of ${repository.name}`}
        aria-rowcount={count + 1}
        aria-activedescendant={first <= active && active <= last ? `row-${active}` : undefined}
        onKeyDown={onKeyDown}
      >
        <div class="head" role="row" aria-rowindex={1} style={{ width: `${width}px` }}>
          <span class="index" role="columnheader">
            <span class="unseen">Row</span>
          </span>
          {columns.map((column) => (
            <ColumnHead key={column.name} column={column} order={order} onSort={onSort} />
          ))}
          {relations.map((name) => (
            <span key={name} class="cell related" role="columnheader">
              <span class="name">{name}</span>
              <span class="type">rows</span>
            </span>
          ))}
          {expires && (
            <span class="cell expires" role="columnheader">
              <span class="name">expires</span>
            </span>
          )}
        </div>
        <div class="body" style={{ height: `${visible.height}px`, width: `${width}px` }}>
          {Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
            const index = first + at
            const row = model.row(index)
            const isFresh = row !== undefined && fresh.value.get(row.name) === row.versionstamp
            return (
              <TableRow
                key={row === undefined ? index : isFresh ? `${row.name}${row.versionstamp}` : row.name}
                index={index}
                top={visible.topOf(index)}
                row={row}
                columns={columns}
                relations={relations}
                expires={expires}
                isActive={index === active}
                isSelected={row !== undefined && row.name === selected}
                isFresh={isFresh}
                onPick={() => {
                  setActive(index)
                  if (row !== undefined) onSelect(row.name)
                }}
              />
            )
          })}
        </div>
      </div>
      {model.count.value === 0 && <NoRows isAsked={isAsked} onAll={onAll} />}
      <footer class="status">
        <span role="status" class="found">
          {model.count.value === null
            ? model.error.value === null
              ? 'counting…'
              : ''
            : `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`}
        </span>
        {model.took.value !== null && <span>{model.took.value.toFixed(1)} ms a page</span>}
        <span class="grow" />
        <span class="keys">↑ ↓ Page Home End move · Enter opens · Esc closes</span>
      </footer>
    </>
  )
}

/** Keeps the view in place when rows appear or disappear above it. */
function useSteadyRows(
  model: RowsModel,
  { upper, shift }: { readonly upper: number; readonly shift: (rows: number) => void },
): void {
  const anchor = useRef<{ readonly name: string; readonly index: number } | null>(null)
  const version = model.changes.value
  useLayoutEffect(() => {
    const { current } = anchor
    if (current === null || upper === 0) return
    if (model.row(current.index)?.name === current.name) return
    for (const distance of [1, -1, 2, -2, 3, -3, 4, -4])
      if (model.row(current.index + distance)?.name === current.name) return shift(distance)
  }, [version])
  useLayoutEffect(() => {
    const row = model.row(upper)
    anchor.current = row === undefined ? null : { name: row.name, index: upper }
  })
}

/** The text and button of an empty table. */
function NoRows({ isAsked, onAll }: { readonly isAsked: boolean; readonly onAll: () => void }) {
  if (!isAsked) return <p class="empty">No rows yet: what a program writes shows up here.</p>
  return (
    <p class="empty">
      No row fits this query.{' '}
      <button type="button" onClick={onAll}>
        Show all
      </button>
    </p>
  )
}

interface ColumnHeadProps {
  readonly column: Column
  readonly order: RowTableProps['order']
  readonly onSort: (field: string) => void
}

function ColumnHead({ column: { name, type, field, width, isSortable }, order, onSort }: ColumnHeadProps) {
  const term = field === null ? '$id' : fieldName(field)
  const direction = order?.[0] === term ? order[1] : null
  const label = (
    <>
      <span class="name">{name}</span>
      <span class="type">{type}</span>
    </>
  )
  return (
    <span
      class="cell"
      role="columnheader"
      style={{ width: `${width}px` }}
      aria-sort={direction === null ? 'none' : direction === 'asc' ? 'ascending' : 'descending'}
    >
      {isSortable ? (
        <button type="button" title={`Order by ${name}`} onClick={() => onSort(term)}>
          {label}
          <span class="direction" aria-hidden="true">
            {direction === null ? '' : direction === 'asc' ? '↑' : '↓'}
          </span>
        </button>
      ) : (
        label
      )}
    </span>
  )
}

interface TableRowProps {
  readonly index: number
  readonly top: number
  readonly row: Row | undefined
  readonly columns: readonly Column[]
  readonly relations: readonly string[]
  readonly expires: boolean
  readonly isActive: boolean
  readonly isSelected: boolean
  readonly isFresh: boolean
  readonly onPick: () => void
}

function TableRow(props: TableRowProps) {
  const { index, top, row, columns, relations, expires, isActive, isSelected, isFresh, onPick } = props
  const classes = [
    'row',
    isActive && 'active',
    isSelected && 'selected',
    isFresh && 'fresh',
    row?.damage != null && 'damaged',
  ]
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the table takes the keys.
    <div
      id={`row-${index}`}
      class={classes.filter(Boolean).join(' ')}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onPick}
    >
      <span class="index" role="gridcell">
        {(index + 1).toLocaleString('en')}
      </span>
      {columns.map((column) => (
        <span
          key={column.name}
          class={`cell ${column.type}`}
          role="gridcell"
          style={{ width: `${column.width}px` }}
        >
          {row === undefined ? <span class="waiting" /> : <ValueText value={column.read(row)} />}
        </span>
      ))}
      {row?.damage != null && <span class="damage">cannot be read</span>}
      {relations.map((name) => (
        <span key={name} class="cell related" role="gridcell">
          <Related rows={row?.related[name]} />
        </span>
      ))}
      {expires && (
        <span class="cell expires" role="gridcell">
          {row?.expiresAt != null && <Countdown to={row.expiresAt} />}
        </span>
      )}
    </div>
  )
}
