import { useEffect, useRef, useState } from 'preact/hooks'
import type { KeyPartJson } from '../../../key/key-json.ts'
import { catalog, counts, type Repository } from '../data/catalog.ts'
import { hrefOf, route } from '../data/route.ts'

/** With this many, nobody needs a filter. */
const mostWithoutFilter = 12

/** The repositories, with nested ones below their parents, and the keys without a repository. */
export function Tree() {
  const { repositories } = catalog.value!
  const [wanted, want] = useState('')
  const place = useRef<HTMLElement>(null)
  const { view, repository: shown } = route.value
  // A repository that a link leads to may be far down.
  useEffect(() => {
    place.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
  }, [view, shown])
  const nested = new Set(repositories.flatMap((it) => it.nested))
  const roots = repositories.filter(({ name }) => !nested.has(name))
  const found = wanted === '' ? null : repositories.filter((it) => fits(it, wanted))
  return (
    <aside class="tree" aria-label="Repositories" ref={place}>
      {repositories.length > mostWithoutFilter && (
        <input
          type="search"
          aria-label="Find a repository"
          placeholder="find a repository"
          value={wanted}
          onInput={({ currentTarget }) => want(currentTarget.value)}
        />
      )}
      <ul>
        {(found ?? roots).map((repository) => (
          <Branch key={repository.name} repository={repository} depth={0} isAlone={found !== null} />
        ))}
        {found?.length === 0 && <li class="empty">None is named so.</li>}
        <li class="others">
          <a href={hrefOf({ view: 'keys' })} aria-current={view === 'keys' ? 'page' : undefined}>
            <span class="name">other keys</span>
            <Count of={counts.value?.others} />
          </a>
        </li>
      </ul>
    </aside>
  )
}

/** Whether its name or its pattern contains a text. */
function fits({ name, pattern }: Repository, wanted: string): boolean {
  return `${name} ${pattern.map(partText).join(' / ')}`.toLowerCase().includes(wanted.toLowerCase())
}

interface BranchProps {
  readonly repository: Repository
  readonly depth: number
  /** Whether its nested repositories are hidden. */
  readonly isAlone: boolean
}

function Branch({ repository, depth, isAlone }: BranchProps) {
  const { name, pattern, nested } = repository
  const { view, repository: shown } = route.value
  const all = catalog.value!.repositories
  const isShown = view === 'data' && (shown ?? all[0]?.name) === name
  const within = isAlone ? [] : all.filter((it) => nested.includes(it.name))
  const deeper = new Set(within.flatMap((it) => it.nested))
  return (
    <li>
      <a
        href={hrefOf({ repository: name })}
        class={`depth-${Math.min(depth, 4)}`}
        aria-current={isShown ? 'page' : undefined}
        title={name}
      >
        <span class="name">{name}</span>
        <Count of={counts.value?.repositories[name]} />
        <PatternText pattern={pattern} />
      </a>
      {within.length > 0 && (
        <ul>
          {within
            .filter((it) => !deeper.has(it.name))
            .map((it) => (
              <Branch key={it.name} repository={it} depth={depth + 1} isAlone={false} />
            ))}
        </ul>
      )}
    </li>
  )
}

export function PatternText({ pattern }: { readonly pattern: readonly KeyPartJson[] }) {
  return (
    <span class="pattern" title={pattern.map(partText).join(' / ')}>
      {pattern.map((part, at) => (
        <span key={at} class={part === '*' ? 'wildcard' : ''}>
          {partText(part)}
        </span>
      ))}
    </span>
  )
}

function partText(part: KeyPartJson): string {
  return String(typeof part === 'object' ? Object.values(part)[0] : part)
}

function Count({ of }: { readonly of: number | undefined }) {
  return <span class="count">{of === undefined ? '' : of.toLocaleString('en')}</span>
}
