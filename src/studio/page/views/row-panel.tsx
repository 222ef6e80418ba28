import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, messageOf } from '../data/api.ts'
import { type Repository, readOnly } from '../data/catalog.ts'
import { listen } from '../data/live.ts'
import { relationsOf } from '../data/relations.ts'
import { useExpiry } from '../data/use-expiry.ts'
import { deleteRow, tellFailure } from '../data/write.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Shell } from '../parts/shell.tsx'
import { notationOf } from '../value/notation.ts'
import { type Row, type RowJson, rowOf } from '../value/wire.ts'
import { ExpiryControl } from './expiry-control.tsx'
import { NewRow } from './new-row.tsx'
import { RowEditor } from './row-editor.tsx'

interface RowPanelProps {
  /** Null for a key that no pattern matches. */
  readonly repository: Repository | null
  /** The key as JSON; null: a new row. */
  readonly name: string | null
  readonly onClose: () => void
}

/** One row: its content, its related rows, and the forms to change it. */
export function RowPanel({ repository, name, onClose }: RowPanelProps) {
  return (
    <aside class="panel" aria-label={name === null ? 'New row' : 'Row'}>
      {name === null ? (
        <NewRow repository={repository} onClose={onClose} />
      ) : (
        <ThereRow repository={repository} name={name} onClose={onClose} />
      )}
    </aside>
  )
}

function ThereRow({ repository, name, onClose }: RowPanelProps & { readonly name: string }) {
  const { row, failure, setRow } = useRow(name)
  if (failure !== null)
    return (
      <Shell title="Row" onClose={onClose}>
        {<p class="failure">{failure}</p>}
      </Shell>
    )
  if (row === undefined)
    return (
      <Shell title="Row" onClose={onClose}>
        {null}
      </Shell>
    )
  if (row === null)
    return (
      <Shell title={notationOf(JSON.parse(name))} onClose={onClose}>
        <p class="empty">There is no such row, or not any more.</p>
      </Shell>
    )
  const relations = repository === null ? [] : relationsOf(repository, row)
  return (
    <Shell title={notationOf(row.key)} onClose={onClose}>
      <dl class="facts">
        <dt>Version</dt>
        <dd class="mono">{row.versionstamp.replace(/^0+(?=.)/, '')}</dd>
        <dt>Expires</dt>
        <dd>
          <ExpiryControl row={row} onWritten={setRow} />
        </dd>
      </dl>
      {relations.length > 0 && (
        <nav class="relations" aria-label="Related rows">
          {relations.map(({ label, href }) => (
            <a key={href + label} href={href}>
              {label}
            </a>
          ))}
        </nav>
      )}
      <RowEditor repository={repository} row={row} onWritten={setRow} />
      <footer class="actions">
        <CopyButton text={() => getCall(repository, row)} label="Copy as TypeScript" />
        <span class="grow" />
        {!readOnly.value && (
          <button type="button" class="danger" onClick={() => void deleteRow(row).then(onClose, tellFailure)}>
            Delete
          </button>
        )}
      </footer>
    </Shell>
  )
}

/** The row of a key, read again whenever it is written. Undefined: not read yet; null: it does not exist. */
function useRow(name: string) {
  const [row, setRow] = useState<Row | null | undefined>(undefined)
  const [failure, fail] = useState<string | null>(null)
  const [expired, expire] = useState(0)
  const reads = useRef(0)
  useExpiry(row?.expiresAt ?? null, () => expire((n) => n + 1))
  useEffect(() => {
    const read = async () => {
      const own = ++reads.current
      try {
        const { rows } = await ask<{ rows: (RowJson | null)[] }>('get', { keys: [JSON.parse(name)] })
        if (own !== reads.current) return
        setRow(rows[0] === null ? null : rowOf(rows[0]!))
        fail(null)
      } catch (error) {
        if (own === reads.current) fail(messageOf(error))
      }
    }
    void read()
    const end = listen({
      onCommit: ({ changes }) => {
        if (changes.some(({ key }) => JSON.stringify(key) === name)) void read()
      },
      onOpen: () => void read(),
      onGap: () => void read(),
    })
    return () => {
      reads.current = Number.POSITIVE_INFINITY
      end()
    }
  }, [name, expired])
  return { row, failure, setRow }
}

function getCall(repository: Repository | null, { key }: Row): string {
  if (repository === null) return `await db.get(${notationOf(key)})`
  const id = key.filter((_, at) => repository.pattern[at] === '*')
  return `await db.repositories[${notationOf(repository.name)}].get(${notationOf(id.length === 1 ? id[0] : id)})`
}
