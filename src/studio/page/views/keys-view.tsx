import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Key } from '../../../contract/key.types.ts'
import { keyJson } from '../../../key/key-json.ts'
import { ask, messageOf } from '../data/api.ts'
import { readOnly } from '../data/catalog.ts'
import { listen } from '../data/live.ts'
import { go, route } from '../data/route.ts'
import { nextExpiry, useExpiry } from '../data/use-expiry.ts'
import { Countdown } from '../parts/countdown.tsx'
import { Editor } from '../parts/editor.tsx'
import { ValueText } from '../parts/value-text.tsx'
import { notationOf } from '../value/notation.ts'
import { parseNotation } from '../value/parse-notation.ts'
import { type Row, type RowJson, rowOf } from '../value/wire.ts'
import { RowPanel } from './row-panel.tsx'

/** The keys below a prefix that no pattern matches. */
export function KeysView() {
  const { query, row: selected } = route.value
  const [draft, setDraft] = useState(query)
  const { rows, hasMore, failure, more } = useKeys(query)
  const open = (row: string | null) => go({ view: 'keys', query, row }, selected !== null && row !== null)
  return (
    <div class={selected === null ? 'rows' : 'rows with-panel'}>
      <section class="table-side">
        <div class="title">
          <h2>Other keys</h2>
          <span class="pattern">that no pattern matches</span>
          <span class="grow" />
          {!readOnly.value && (
            <button type="button" onClick={() => open('new')}>
              New key
            </button>
          )}
        </div>
        <div class="query">
          <Editor
            label="Prefix"
            text={query}
            hint="['session']: only keys that begin with it"
            onChange={setDraft}
            onSubmit={() => go({ view: 'keys', query: draft.trim() })}
          />
          <button type="button" class="primary" onClick={() => go({ view: 'keys', query: draft.trim() })}>
            Show
          </button>
        </div>
        {failure !== null && (
          <p class="failure" role="alert">
            {failure}
          </p>
        )}
        <div class="key-list">
          <ul>
            {rows.map((row) => (
              <li key={row.name + row.versionstamp}>
                <button
                  type="button"
                  class={row.name === selected ? 'selected' : ''}
                  onClick={() => open(row.name)}
                >
                  <span class="key">{notationOf(row.key, { most: 200 })}</span>
                  {row.damage === null ? (
                    <ValueText value={row.value} />
                  ) : (
                    <span class="damage">cannot be read</span>
                  )}
                  {row.expiresAt !== null && <Countdown to={row.expiresAt} />}
                </button>
              </li>
            ))}
          </ul>
          {rows.length === 0 && failure === null && <p class="empty">No keys.</p>}
          {hasMore && (
            <button type="button" class="more" onClick={more}>
              More
            </button>
          )}
        </div>
      </section>
      {selected !== null && (
        <RowPanel
          key={selected}
          repository={null}
          name={selected === 'new' ? null : selected}
          onClose={() => open(null)}
        />
      )}
    </div>
  )
}

interface KeysAnswer {
  readonly rows: readonly RowJson[]
  readonly cursor: string | null
}

const perPage = 100

/** The keys below a prefix, page by page, read again when one of them is written. */
function useKeys(text: string) {
  const [pages, setPages] = useState<readonly KeysAnswer[]>([])
  const [wanted, want] = useState(1)
  const [writes, write] = useState(0)
  const [failure, fail] = useState<string | null>(null)
  useEffect(() => want(1), [text])
  useEffect(() => {
    const again = () => write((n) => n + 1)
    return listen({
      onCommit: ({ changes }) => {
        if (changes.some(({ repository }) => repository === null)) again()
      },
      onOpen: again,
      onGap: again,
    })
  }, [])
  useEffect(() => {
    const left = new AbortController()
    const read = async () => {
      const prefix = keyJson(prefixOf(text))
      const found: KeysAnswer[] = []
      let after: string | null = null
      do {
        const page: KeysAnswer = await ask<KeysAnswer>('keys', { prefix, after, limit: perPage }, left.signal)
        found.push(page)
        after = page.cursor
      } while (after !== null && found.length < wanted)
      setPages(found)
      fail(null)
    }
    read().catch((error: unknown) => {
      if (!left.signal.aborted) fail(messageOf(error))
    })
    return () => left.abort()
  }, [text, wanted, writes])
  const rows: readonly Row[] = useMemo(() => pages.flatMap((page) => page.rows.map(rowOf)), [pages])
  useExpiry(nextExpiry(rows), () => write((n) => n + 1))
  return { rows, hasMore: (pages.at(-1)?.cursor ?? null) !== null, failure, more: () => want(wanted + 1) }
}

function prefixOf(text: string): Key {
  if (text === '') return []
  const parsed = parseNotation(text)
  if (!Array.isArray(parsed))
    throw new TypeError("A prefix is an array of leading parts, such as ['session']")
  return parsed as Key
}
