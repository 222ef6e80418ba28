import { createElement as h, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createClient } from 'valkeyrie/client'
import { useLiveQuery } from 'valkeyrie/react'
import type { PlayersLive } from '../live-server.ts'

/** What the page has drawn and received, for the test that reads it. */
declare global {
  var drawn: string[]
  var seen: string[]
}
globalThis.drawn = []
globalThis.seen = []

const client = createClient<PlayersLive>('/live', { retry: { min: 20, max: 100 } })

function Podium() {
  const { status, result = [] } = useLiveQuery(client, 'podium', { places: 3 })
  const text = result.map(({ id, value }) => `${id} ${value.score}`).join()
  if (text !== '' && text !== globalThis.drawn.at(-1)) globalThis.drawn.push(text)
  return h('p', { className: status }, text)
}

const { document } = globalThis as unknown as { document: { getElementById(id: string): never } }
createRoot(document.getElementById('root')).render(h(StrictMode, null, h(Podium)))

for await (const { versionstamp, id } of client.changes('scores', undefined, { since: '0'.repeat(20) }))
  globalThis.seen.push(`${versionstamp} ${id}`)
