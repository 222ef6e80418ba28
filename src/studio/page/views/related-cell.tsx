import { hrefOf } from '../data/route.ts'
import { shownValue } from '../parts/value-text.tsx'
import type { Row } from '../value/wire.ts'

/** The related rows that a query has loaded for a row. */
export function Related({ rows }: { readonly rows: readonly Row[] | Row | null | undefined }) {
  if (rows === undefined) return null
  if (rows === null) return <span class="value null">none</span>
  const list = 'key' in rows ? [rows as Row] : (rows as readonly Row[])
  return (
    <>
      {'length' in rows && <span class="many">{list.length}</span>}
      {list.slice(0, 3).map((row) => (
        <RowLink key={row.name} row={row} />
      ))}
    </>
  )
}

function RowLink({ row }: { readonly row: Row }) {
  const { text } = shownValue(row.key.at(-1))
  if (row.repository === null) return <span class="link">{text}</span>
  return (
    <a
      class="link"
      href={hrefOf({ repository: row.repository, row: row.name })}
      onClick={(event) => event.stopPropagation()}
    >
      {text}
    </a>
  )
}
