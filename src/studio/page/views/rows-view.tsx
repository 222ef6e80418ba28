import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { messageOf } from '../data/api.ts'
import { type Repository, readOnly, repositoryNamed } from '../data/catalog.ts'
import { queryCompletion } from '../data/completion.ts'
import { callText, orderOf, parseQuery, queryText, type WrittenQuery } from '../data/query-text.ts'
import { go, route } from '../data/route.ts'
import { RowsModel } from '../data/rows-model.ts'
import { useLiveRows } from '../data/use-live-rows.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { Editor } from '../parts/editor.tsx'
import { valueJson } from '../value/wire.ts'
import { Explain } from './explain.tsx'
import { RowPanel } from './row-panel.tsx'
import { RowTable } from './row-table.tsx'
import { PatternText } from './tree.tsx'

const emptyRow = 'new'

/** The rows of a repository: a query, a table of what it finds, and one row beside it. */
export function RowsView({ name }: { readonly name: string }) {
  const repository = repositoryNamed(name)
  if (repository === undefined) return <p class="empty">There is no repository “{name}”.</p>
  return <Rows repository={repository} />
}

function Rows({ repository }: { readonly repository: Repository }) {
  const { name } = repository
  const { query: text, row } = route.value
  const [draft, setDraft] = useState(text)
  const [isExplained, explain] = useState(false)
  useEffect(() => setDraft(text), [text])
  const { written, error } = useMemo(() => readQuery(text), [text])
  const model = useMemo(() => modelOf(repository, written), [repository, written])
  useEffect(() => () => model.end(), [model])
  const place = useRef<HTMLDivElement>(null)
  const fresh = useLiveRows(model, name)
  const complete = useMemo(() => queryCompletion(repository), [repository])
  const run = (next: string) => go({ repository: name, query: next.trim(), row }, next.trim() === text)
  const sort = (field: string) => run(queryText({ ...written, orderBy: nextOrder(written, field) }))
  const failure = error ?? model.error.value
  return (
    <div class={row === null ? 'rows' : 'rows with-panel'} ref={place}>
      <section class="table-side">
        <div class="title">
          <h2>{name}</h2>
          <PatternText pattern={repository.pattern} />
          <span class="grow" />
          {!readOnly.value && (
            <button type="button" onClick={() => go({ repository: name, query: text, row: emptyRow })}>
              New row
            </button>
          )}
        </div>
        <div class="query">
          <Editor
            label="Query"
            text={text}
            onChange={setDraft}
            onSubmit={() => run(draft)}
            complete={complete}
            hint={hintOf(repository)}
          />
          <button type="button" class="primary" onClick={() => run(draft)}>
            Run
          </button>
          <button type="button" aria-pressed={isExplained} onClick={() => explain(!isExplained)}>
            Plan
          </button>
          <CopyButton text={() => callText(name, written)} label="Copy as TypeScript" />
        </div>
        {failure != null && (
          <p class="failure" role="alert">
            {messageOf(failure)}
          </p>
        )}
        {isExplained && <Explain repository={name} written={written} />}
        <RowTable
          repository={repository}
          model={model}
          fresh={fresh}
          order={orderOf(written)}
          selected={row}
          isAsked={text !== ''}
          onAll={() => run('')}
          onSort={sort}
          onSelect={(key) => go({ repository: name, query: text, row: key }, row !== null && key !== null)}
        />
      </section>
      {row !== null && (
        <RowPanel
          key={row}
          repository={repository}
          name={row === emptyRow ? null : row}
          onClose={() => {
            go({ repository: name, query: text })
            place.current?.querySelector<HTMLElement>('[role=grid]')?.focus()
          }}
        />
      )}
    </div>
  )
}

function readQuery(text: string): { readonly written: WrittenQuery; readonly error: unknown } {
  try {
    const written = parseQuery(text)
    valueJson(written)
    return { written, error: null }
  } catch (error) {
    return { written: {}, error }
  }
}

function modelOf(repository: Repository, { limit, ...query }: WrittenQuery): RowsModel {
  return new RowsModel({
    repository: repository.name,
    query: valueJson(query),
    isReversible: query.orderBy !== undefined || query.where === undefined,
    limit: (limit as number | undefined) ?? null,
  })
}

/** Ascending by a field, then descending, then without an order. */
function nextOrder(written: WrittenQuery, field: string): unknown {
  const order = orderOf(written)
  if (order?.[0] !== field) return { [field]: 'asc' }
  return order[1] === 'asc' ? { [field]: 'desc' } : undefined
}

function hintOf({ schema }: Repository): string {
  const field = Object.keys((schema?.['properties'] as object | undefined) ?? {})[0]
  return field === undefined ? '{ where: { … } }' : `{ where: { ${field}: … }, orderBy: { ${field}: 'asc' } }`
}
