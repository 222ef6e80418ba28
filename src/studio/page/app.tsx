import type { ComponentChildren } from 'preact'
import { trouble } from './data/api.ts'
import { catalog, readOnly } from './data/catalog.ts'
import { connection } from './data/live.ts'
import { hrefOf, type Route, route } from './data/route.ts'
import { ThemeButton } from './parts/theme.tsx'
import { Toasts } from './parts/toasts.tsx'
import { ActivityView } from './views/activity-view.tsx'
import { FeedView } from './views/feed-view.tsx'
import { HealthView } from './views/health-view.tsx'
import { KeysView } from './views/keys-view.tsx'
import { RowsView } from './views/rows-view.tsx'
import { Tree } from './views/tree.tsx'

const tabs: readonly (readonly [view: Route['view'], label: string])[] = [
  ['data', 'Data'],
  ['feed', 'Feed'],
  ['activity', 'Activity'],
  ['health', 'Health'],
]

export function App() {
  const { view } = route.value
  const isData = view === 'data' || view === 'keys'
  return (
    <>
      <Header />
      <Trouble />
      {catalog.value !== null && (
        <div class={isData ? 'layout with-tree' : 'layout'}>
          {isData && <Tree />}
          <main>
            <View />
          </main>
        </div>
      )}
      <Toasts />
    </>
  )
}

function View() {
  const { view, repository } = route.value
  if (view === 'feed') return <FeedView />
  if (view === 'activity') return <ActivityView />
  if (view === 'health') return <HealthView />
  if (view === 'keys') return <KeysView />
  const first = catalog.value?.repositories[0]?.name
  const name = repository ?? first
  if (name === undefined) return <KeysView />
  return <RowsView key={name} name={name} />
}

function Header() {
  const { view } = route.value
  const shown = view === 'keys' ? 'data' : view
  return (
    <header>
      <span class="brand" aria-hidden="true">
        <svg viewBox="0 0 32 32" width="18" height="18" role="presentation">
          <path d="M3 5 16 29 29 5 16 13Z" fill="currentColor" />
        </svg>
      </span>
      <h1 title={catalog.value?.path}>{catalog.value?.name ?? 'valkeyrie studio'}</h1>
      {catalog.value !== null && readOnly.value && <Badge>read only</Badge>}
      <nav aria-label="Views">
        {tabs.map(([name, label]) => (
          <a key={name} href={hrefOf({ view: name })} aria-current={shown === name ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <span class={`connection ${connection.value}`} role="status">
        <span class="dot" aria-hidden="true" />
        {{ live: 'live', connecting: 'connecting', lost: 'reconnecting' }[connection.value]}
      </span>
      <ThemeButton />
    </header>
  )
}

function Badge({ children }: { readonly children: ComponentChildren }) {
  return <span class="badge">{children}</span>
}

function Trouble() {
  const error = trouble.value
  if (error === null) return null
  return (
    <div class="trouble" role="alert" data-code={error.code}>
      {error.message}.
    </div>
  )
}
