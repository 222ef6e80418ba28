import { useEffect, useState } from 'preact/hooks'
import { ask, messageOf } from '../data/api.ts'
import type { WrittenQuery } from '../data/query-text.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { valueJson } from '../value/wire.ts'

interface Explanation {
  readonly sql: string
  readonly params: readonly string[]
  readonly plan: readonly string[]
  readonly served: boolean
}

/** How a query runs: the statement, the plan of the engine, and whether an index serves it. */
export function Explain({
  repository,
  written,
}: {
  readonly repository: string
  readonly written: WrittenQuery
}) {
  const [told, tell] = useState<Explanation | { readonly failure: string } | null>(null)
  useEffect(() => {
    const left = new AbortController()
    const { limit: _, ...query } = written
    ask<Explanation>('explain', { repository, query: valueJson(query) }, left.signal).then(
      tell,
      (error: unknown) => {
        if (!left.signal.aborted) tell({ failure: messageOf(error) })
      },
    )
    return () => left.abort()
  }, [repository, written])
  if (told === null) return <div class="explain">…</div>
  if ('failure' in told) return <div class="explain">{told.failure}</div>
  const { sql, params, plan, served } = told
  return (
    <div class="explain">
      <p class={served ? 'served' : 'unserved'}>
        {served
          ? 'Reads no more than it must.'
          : 'Reads every row of the repository: no index serves it. Declare one on the fields that it names.'}
      </p>
      <ol>
        {plan.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <pre>{sql}</pre>
      <p class="params">
        {params.length === 0 ? 'No operands.' : params.map((param, at) => `${at + 1}: ${param}`).join('   ')}
      </p>
      <CopyButton text={() => sql} label="Copy the SQL" />
    </div>
  )
}
