import { EventReader } from '../../src/client/event-reader.ts'
import type { StreamEvent } from '../../src/wire/event.ts'
import { waitFor } from '../waiting.ts'

/** A request for a live query, as `podium` or `podium?params={…}`. */
export function asking(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Request {
  return new Request(`http://localhost/live/${path}`, { headers, ...init })
}

export const inJson = { accept: 'application/json' }

/** The events of a response, without its heartbeats. */
export function eventsOf(response: Response) {
  if (response.body === null) throw new Error('The response has no body')
  const reader = new EventReader(response.body)
  const next = async (): Promise<StreamEvent | null> => {
    while (true) {
      const event = await waitFor(
        'an event',
        reader.next(() => {}),
      )
      if (event === null || (event.name !== 'open' && event.data !== '')) return event
    }
  }
  return {
    next,
    raw: () =>
      waitFor(
        'an event',
        reader.next(() => {}),
      ),
    named: async () => (await next())?.name ?? null,
    cancel: () => reader.cancel(),
  }
}
