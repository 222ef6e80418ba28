import { computed, signal } from '@preact/signals'
import type { Key } from '../../../contract/key.types.ts'
import { keyJson } from '../../../key/key-json.ts'

/** What the page shows, according to the `#` of its URL. */
export interface Route {
  readonly view: 'data' | 'keys' | 'feed' | 'activity' | 'health'
  readonly repository: string | null
  /** The text of its query. */
  readonly query: string
  /** The key of the row beside the table, as JSON. */
  readonly row: string | null
}

const views: readonly string[] = ['data', 'keys', 'feed', 'activity', 'health']

const hash = signal(location.hash)
addEventListener('hashchange', () => {
  hash.value = location.hash
})

export const route = computed((): Route => {
  const [path = '', search = ''] = hash.value.replace(/^#\/?/, '').split('?')
  const [view = '', name] = path.split('/')
  const params = new URLSearchParams(search)
  return {
    view: (views.includes(view) ? view : 'data') as Route['view'],
    repository: name === undefined || name === '' ? null : decoded(name),
    query: params.get('q') ?? '',
    row: params.get('row'),
  }
})

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The URL of a place in the page. */
export function hrefOf({ view = 'data', repository = null, query = '', row = null }: Partial<Route>): string {
  const params = new URLSearchParams()
  if (query !== '') params.set('q', query)
  if (row !== null) params.set('row', row)
  const search = params.size === 0 ? '' : `?${params}`
  return `#/${view}${repository === null ? '' : `/${encodeURIComponent(repository)}`}${search}`
}

/** Goes to a place; `replace`: the back button skips the current one. */
export function go(to: Partial<Route>, replace = false): void {
  const href = hrefOf(to)
  if (!replace) location.hash = href
  else {
    history.replaceState(null, '', href)
    hash.value = href
  }
}

export function keyName(key: Key): string {
  return JSON.stringify(keyJson(key))
}
