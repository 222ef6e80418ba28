import { setTimeout as delay } from 'node:timers/promises'
import { Window } from 'happy-dom'
import {
  act,
  Component,
  type ComponentType,
  createElement as h,
  lazy,
  memo,
  type ReactNode,
  StrictMode,
  Suspense,
  useMemo,
} from 'react'
import type { Root } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { createClient, type LiveClient } from 'valkeyrie/client'
import { useLiveQuery, useSuspenseLiveQuery } from 'valkeyrie/react'
import { afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { waitFor, waitUntil } from '../waiting.ts'
import { openPlayers, type Players, type PlayersLive } from './live-server.ts'

type PlayersClient = LiveClient<PlayersLive['declarations']>

let players: Players
let live: PlayersLive
let client: PlayersClient
let root: Root
let page: { readonly innerHTML: string }
let requests: number
let isLetIn: boolean

beforeAll(() => {
  const window = new Window()
  Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true })
})

beforeEach(async () => {
  players = await openPlayers()
  await players.players.set('ada', { name: 'Ada', score: 3 })
  await players.players.set('bob', { name: 'Bob', score: 1 })
  isLetIn = true
  requests = 0
  live = players.serve({ authorize: () => isLetIn })
  const fetch = (input: unknown, init?: RequestInit) => {
    requests++
    return live.fetch(new Request(input as string, init))
  }
  client = createClient<PlayersLive>('http://localhost/live', {
    fetch: fetch as typeof globalThis.fetch,
    retry: { min: 1, max: 5 },
  })
  const { createRoot } = await import('react-dom/client')
  const element = document.createElement('div')
  page = element
  root = createRoot(element)
})

afterEach(async () => {
  await act(() => root.unmount())
  client.close()
  await players.db.close()
})

/** The DOM that tests have, as far as they use it. */
declare const document: { createElement(name: string): never }

const draw = (node: ReactNode) => act(async () => root.render(node))
const acted = (what: string, holds: () => boolean) => {
  const look = async () => {
    while (!holds()) await act(() => delay(1))
  }
  return waitFor(what, look())
}
const drawn = (text: string) => acted(text, () => page.innerHTML === text)

const draws: string[] = []
const Name = memo(({ row }: { readonly row: { readonly value: { readonly name: string } } }) => {
  draws.push(row.value.name)
  return row.value.name
})

function Podium({ places }: { readonly places: number }) {
  const { status, result = [] } = useLiveQuery(client, 'podium', { places })
  return [status, ' ', ...result.map((row) => h(Name, { key: String(row.id), row }))]
}

function Suspended({ places }: { readonly places: number }) {
  const result = useSuspenseLiveQuery(client, 'podium', { places })
  return result.map((row) => h(Name, { key: String(row.id), row }))
}

type Result = Awaited<ReturnType<ReturnType<typeof client.watch<'podium'>>['first']>>

function Given({ initial }: { readonly initial: Result }) {
  const { status, result = [] } = useLiveQuery(client, 'podium', { places: 2 }, { initial })
  const same = useSuspenseLiveQuery(client, 'podium', { places: 2 }, { initial })
  return h('p', null, `${status} ${result.map(({ id }) => id)} ${same.length}`)
}

class Boundary extends Component<{ readonly children?: ReactNode }, { readonly error: Error | null }> {
  override readonly state = { error: null as Error | null }
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  override render() {
    return this.state.error === null ? this.props.children : this.state.error.message
  }
}

it('renders the result, and of the next one only what has changed', async () => {
  draws.length = 0
  await draw(h(Podium, { places: 3 }))
  await drawn('live AdaBob')
  expect(draws).toEqual(['Ada', 'Bob'])
  await players.players.set('eve', { name: 'Eve', score: 2 })
  await drawn('live AdaEveBob')
  expect(draws).toEqual(['Ada', 'Bob', 'Eve'])
})

it('has one stream for all components that follow the same, in strict mode too, and none when they are gone', async () => {
  const both = h(StrictMode, null, h(Podium, { places: 3 }), h(Podium, { places: 3 }))
  await draw(both)
  await drawn('live AdaBoblive AdaBob')
  expect([requests, live.streams]).toEqual([1, 1])
  await draw(null)
  await waitUntil('the end of the stream', () => live.streams === 0)
})

it('follows what its parameters ask for', async () => {
  await draw(h(Podium, { places: 1 }))
  await drawn('live Ada')
  await draw(h(Podium, { places: 2 }))
  await drawn('live AdaBob')
  await waitUntil('the end of the first stream', () => live.streams === 1)
  await draw(h(Podium, { places: 1 }))
  await drawn('live Ada')
})

it('reports a lost connection, with the last result', async () => {
  await draw(h(Podium, { places: 1 }))
  await drawn('live Ada')
  const before = live
  live = { ...live, fetch: () => Promise.reject(new TypeError('fetch failed')) }
  await act(async () => before.close())
  await drawn('stale Ada')
  live = players.serve()
  await drawn('live Ada')
})

it('suspends until there is a result', async () => {
  await draw(h(Suspense, { fallback: 'waits' }, h(Suspended, { places: 2 })))
  await drawn('AdaBob')
  await players.players.set('eve', { name: 'Eve', score: 9 })
  await drawn('EveAda')
  expect(requests).toBe(1)
})

/** Holds the answers to all requests from this one on, until the returned function is called. */
function holdAnswers(from: number): () => void {
  const { promise: opened, resolve } = Promise.withResolvers<void>()
  const serving = live
  live = {
    ...live,
    fetch: async (request) => {
      if (requests >= from) await opened
      return serving.fetch(request)
    },
  }
  return resolve
}

function Outer() {
  const [best] = useSuspenseLiveQuery(client, 'podium', { places: 1 })
  return h('p', null, `${best!.value.name}: `, h(Suspended, { places: 3 }))
}

it('keeps what a parent has while its child suspends, however long that takes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const serving = live
  const open = holdAnswers(2)
  await draw(h(Suspense, { fallback: 'waits' }, h(Outer)))
  await drawn('waits')
  await acted('the request of the child', () => requests === 2)
  vi.advanceTimersByTime(30_000)
  await act(async () => open())
  await drawn('<p>Ada: AdaBob</p>')
  expect(requests).toBe(2)
  await draw(null)
  vi.advanceTimersByTime(1_000)
  await waitUntil('the end of the streams', () => serving.streams === 0)
})

it('throws a refusal for the error boundary, and asks once', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  isLetIn = false
  await draw(h(Boundary, null, h(Suspense, { fallback: 'waits' }, h(Suspended, { places: 2 }))))
  await drawn('The server answers 403 Forbidden')
  expect(requests).toBe(1)
  log.mockRestore()
})

it('throws a refusal of what it has shown for the error boundary, and does not ask again', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())
  const one = () => h(Boundary, null, h(Suspense, { fallback: 'waits' }, h(Suspended, { places: 2 })))
  await draw(h('p', null, h(one), h(one), h(Header)))
  await drawn('<p>AdaBobAdaBoblive</p>')
  const before = live
  isLetIn = false
  live = players.serve({ authorize: () => isLetIn })
  await act(async () => before.close())
  await drawn(`<p>${'The server answers 403 Forbidden'.repeat(2)}failed</p>`)
  expect(requests).toBe(2)
})

it('follows what no component has come to show for seconds only', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const serving = live
  const open = holdAnswers(1)
  await draw(h(Suspense, { fallback: 'waits' }, h(Suspended, { places: 2 })))
  await draw(null)
  open()
  await acted('the result', () => client.watch('podium', { places: 2 }).state.status === 'live')
  await vi.advanceTimersByTimeAsync(4_000)
  expect(serving.streams).toBe(1)
  await vi.advanceTimersByTimeAsync(2_000)
  await waitUntil('the end of the stream', () => serving.streams === 0)
})

function Header() {
  return useLiveQuery(client, 'podium', { places: 2 }).status
}

it('asks again after an error when it is drawn once more, though another component shows the error', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())
  isLetIn = false
  await draw(h(Header))
  await drawn('failed')
  const content = h(Suspense, { fallback: 'waits' }, h(Suspended, { places: 2 }))
  await draw(h('p', null, h(Header), h(Boundary, { key: 1 }, content)))
  await drawn('<p>failedThe server answers 403 Forbidden</p>')
  expect(requests).toBe(2)
  expect(log.mock.calls.flat().join()).not.toContain('Cannot update a component')
  isLetIn = true
  await acted('the pause', () => {
    act(() => root.render(h('p', null, h(Header), h(Boundary, { key: Math.random() }, content))))
    return page.innerHTML === '<p>liveAdaBob</p>'
  })
})

it('renders on a server what it is given, and continues that page in the browser', async () => {
  const initial = await client.watch('podium', { places: 2 }).first()
  await waitUntil('the end of the stream', () => live.streams === 0)
  await waitUntil(
    'the end of the state',
    () => client.watch('podium', { places: 2 }).state.status === 'pending',
  )
  const html = renderToString(h(Given, { initial }))
  expect(html).toBe('<p>pending ada,bob 2</p>')
  expect(live.streams).toBe(0)
  const element = document.createElement('div') as { innerHTML: string }
  element.innerHTML = html
  const log = vi.spyOn(console, 'error')
  const { hydrateRoot } = await import('react-dom/client')
  const taken = await act(async () => hydrateRoot(element as never, h(Given, { initial })))
  page = element
  await drawn('<p>live ada,bob 2</p>')
  expect(log).not.toHaveBeenCalled()
  log.mockRestore()
  await act(() => taken.unmount())
})

let initial: Result | undefined

function Count() {
  const { status, result } = useLiveQuery(client, 'podium', { places: 2 }, { initial })
  return h('p', null, `${status} ${result?.length}`)
}

function Both({ Later }: { readonly Later: ComponentType }) {
  return h('div', null, h(Count), h(Suspense, { fallback: 'waits' }, h(Later)))
}

it.each([2, undefined])(
  'takes over a part of a page that comes later as it is, given %s rows',
  async (given) => {
    initial = given === undefined ? undefined : await client.watch('podium', { places: given }).first()
    await waitUntil(
      'the end of the state',
      () => client.watch('podium', { places: 2 }).state.status === 'pending',
    )
    const element = document.createElement('div') as { innerHTML: string }
    element.innerHTML = renderToString(h(Both, { Later: Count }))
    const { promise: code, resolve: load } = Promise.withResolvers<{ default: ComponentType }>()
    const onRecoverableError = vi.fn()
    const { hydrateRoot } = await import('react-dom/client')
    const taken = await act(async () =>
      hydrateRoot(element as never, h(Both, { Later: lazy(() => code) }), { onRecoverableError }),
    )
    page = element
    await drawn(`<div><p>live 2</p><!--$--><p>pending ${given}</p><!--/$--></div>`)
    await act(async () => load({ default: Count }))
    await drawn('<div><p>live 2</p><!--$--><p>live 2</p><!--/$--></div>')
    expect(onRecoverableError).not.toHaveBeenCalled()
    await act(() => taken.unmount())
  },
)

const shown: string[] = []

function Suspending() {
  const result = useSuspenseLiveQuery(client, 'podium', { places: 2 }, { initial })
  shown.push(result.map(({ id }) => id).join())
  return shown.at(-1)
}

/** It is given something else for the same state. */
function Another() {
  const second = useMemo(() => initial!.slice(1), [])
  const { result } = useLiveQuery(client, 'podium', { places: 2 }, { initial: second })
  return result!.map(({ id }) => id).join()
}

function Counted() {
  shown.push('')
  return h(Suspended, { places: 2 })
}

/** Makes every request fail, until the returned function is called. */
function takeDown(): () => void {
  const serving = live
  live = { ...live, fetch: () => Promise.reject(new TypeError('fetch failed')) }
  return () => {
    live = serving
  }
}

it('shows what it is given while there is no connection, and until there is one', async () => {
  initial = await client.watch('podium', { places: 2 }).first()
  await waitUntil(
    'the end of the state',
    () => client.watch('podium', { places: 2 }).state.status === 'pending',
  )
  const putUp = takeDown()
  shown.length = 0
  const all = () =>
    h(
      'div',
      null,
      h(Count),
      h('i', null, h(Another)),
      h('b', null, h(Header)),
      h(Suspense, { fallback: 'waits' }, h(Suspending)),
    )
  const element = document.createElement('div') as { innerHTML: string }
  element.innerHTML = renderToString(all())
  const { hydrateRoot } = await import('react-dom/client')
  const onRecoverableError = vi.fn()
  const taken = await act(async () => hydrateRoot(element as never, all(), { onRecoverableError }))
  page = element
  await drawn('<div><p>stale 2</p><i>bob</i><b>stale</b><!--$-->ada,bob<!--/$--></div>')
  putUp()
  await drawn('<div><p>live 2</p><i>ada,bob</i><b>live</b><!--$-->ada,bob<!--/$--></div>')
  expect(new Set(shown)).toEqual(new Set(['ada,bob']))
  expect(onRecoverableError).not.toHaveBeenCalled()
  await act(() => taken.unmount())
})

it('shows what it is given beside a refusal, and while it asks again after the refusal of another time', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())
  initial = await client.watch('podium', { places: 2 }).first()
  await waitUntil(
    'the end of the state',
    () => client.watch('podium', { places: 2 }).state.status === 'pending',
  )
  isLetIn = false
  await draw(h('div', null, h(Count)))
  await drawn('<div><p>failed 2</p></div>')
  isLetIn = true
  shown.length = 0
  await draw(h('div', null, h(Count), h(Suspense, { fallback: 'waits' }, h(Suspending))))
  await drawn('<div><p>live 2</p>ada,bob</div>')
  expect(new Set(shown)).toEqual(new Set(['ada,bob']))
})

it('fails at once on a client that was closed', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())
  client.close()
  shown.length = 0
  const suspended = h(Boundary, null, h(Suspense, { fallback: 'waits' }, h(Counted)))
  await draw(h('div', null, h(Header), suspended))
  await drawn('<div>failedThe client was closed</div>')
  expect(shown.length).toBeLessThan(10)
  expect(requests).toBe(0)
})
