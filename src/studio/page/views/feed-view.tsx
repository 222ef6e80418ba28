import { useRef, useState } from 'preact/hooks'
import { keyOfJson } from '../../../key/key-json.ts'
import { catalog } from '../data/catalog.ts'
import { gaps, type ToldCommit, toldCommits } from '../data/history.ts'
import type { ChangeJson } from '../data/live.ts'
import { hrefOf } from '../data/route.ts'
import { ValueText } from '../parts/value-text.tsx'
import { notationOf } from '../value/notation.ts'
import { rowOf } from '../value/wire.ts'

const mostShown = 150
const mostOfCommit = 20

/** Commits as they happen, newest first. */
export function FeedView() {
  const [repository, setRepository] = useState('')
  const [text, setText] = useState('')
  const [isPaused, pause] = useState(false)
  const held = useRef<readonly ToldCommit[]>([])
  if (!isPaused) held.current = toldCommits.value
  const shown = held.current
    .map((commit) => ({
      ...commit,
      changes: commit.changes.filter((change) => fits(change, repository, text)),
    }))
    .filter(({ changes }) => changes.length > 0)
  return (
    <section class="page">
      <div class="title">
        <h2>Feed</h2>
        <span class="grow" />
        <label>
          <span class="unseen">Repository</span>
          <select value={repository} onChange={({ currentTarget }) => setRepository(currentTarget.value)}>
            <option value="">every key</option>
            {catalog.value?.repositories.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <input
          type="search"
          aria-label="Part of a key"
          placeholder="part of a key"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <button type="button" aria-pressed={isPaused} onClick={() => pause(!isPaused)}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      </div>
      {gaps.value.map((message) => (
        <p key={message} class="hint">
          {message}
        </p>
      ))}
      {shown.length === 0 && <p class="empty">Nothing was committed lately.</p>}
      <ol class="feed" aria-label="Commits">
        {shown.slice(0, mostShown).map((commit) => (
          <Commit key={commit.part} commit={commit} />
        ))}
      </ol>
    </section>
  )
}

function fits({ repository, key }: ChangeJson, wanted: string, text: string): boolean {
  return (wanted === '' || repository === wanted) && (text === '' || JSON.stringify(key).includes(text))
}

function Commit({ commit: { versionstamp, at, changes } }: { readonly commit: ToldCommit }) {
  return (
    <li class="commit">
      <div class="stamp">
        <span class="mono">{versionstamp.replace(/^0+(?=.)/, '')}</span>
        {at !== null && (
          <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString('en-GB')}</time>
        )}
      </div>
      <ul>
        {changes.slice(0, mostOfCommit).map((change) => (
          <Change key={JSON.stringify(change.key)} change={change} />
        ))}
        {changes.length > mostOfCommit && (
          <li class="hint">and {(changes.length - mostOfCommit).toLocaleString('en')} more</li>
        )}
      </ul>
    </li>
  )
}

function Change({
  change: { type, key, repository, superseded, isLarge, row },
}: {
  readonly change: ChangeJson
}) {
  const name = JSON.stringify(key)
  const text = notationOf(keyOfJson(key), { most: 200 })
  const href = repository === null ? hrefOf({ view: 'keys', row: name }) : hrefOf({ repository, row: name })
  return (
    <li class={`change ${type}`}>
      <span class="type">{type}</span>
      <a class="key" href={href}>
        {text}
      </a>
      {row !== undefined && <ValueText value={rowOf(row).value} />}
      {superseded && <span class="hint">written again since</span>}
      {isLarge && <span class="hint">a large value</span>}
    </li>
  )
}
