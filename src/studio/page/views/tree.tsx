import type { KeyPartJson } from '../../../key/key-json.ts'
import { catalog, counts, type Repository } from '../data/catalog.ts'
import { hrefOf, route } from '../data/route.ts'

/** The repositories, those that are nested in another below it, and the keys that have none. */
export function Tree() {
  const { repositories } = catalog.value!
  const nested = new Set(repositories.flatMap((it) => it.nested))
  const roots = repositories.filter(({ name }) => !nested.has(name))
  const { view } = route.value
  return (
    <aside class="tree" aria-label="Repositories">
      <ul>
        {roots.map((repository) => (
          <Branch key={repository.name} repository={repository} depth={0} />
        ))}
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

function Branch({ repository, depth }: { readonly repository: Repository; readonly depth: number }) {
  const { name, pattern, nested } = repository
  const { view, repository: shown } = route.value
  const all = catalog.value!.repositories
  const isShown = view === 'data' && (shown ?? all[0]?.name) === name
  const within = all.filter((it) => nested.includes(it.name))
  const deeper = new Set(within.flatMap((it) => it.nested))
  return (
    <li>
      <a
        href={hrefOf({ repository: name })}
        class={`depth-${Math.min(depth, 4)}`}
        aria-current={isShown ? 'page' : undefined}
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
              <Branch key={it.name} repository={it} depth={depth + 1} />
            ))}
        </ul>
      )}
    </li>
  )
}

export function PatternText({ pattern }: { readonly pattern: readonly KeyPartJson[] }) {
  return (
    <span class="pattern">
      {pattern.map((part, at) => (
        <span key={at} class={part === '*' ? 'wildcard' : ''}>
          {typeof part === 'object' ? Object.values(part)[0] : String(part)}
        </span>
      ))}
    </span>
  )
}

function Count({ of }: { readonly of: number | undefined }) {
  return <span class="count">{of === undefined ? '' : of.toLocaleString('en')}</span>
}
