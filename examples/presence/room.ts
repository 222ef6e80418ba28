import { setInterval } from 'node:timers/promises'
import { type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'

const schemas = Valkeyrie.withSchema(['presence', '*'], z.object({ since: z.date() })).withSchema(
  ['document'],
  z.object({ lines: z.array(z.string()) }),
)

/** Who is here, by name, and the document that they write together. */
export type Room = Awaited<ReturnType<typeof openRoom>>

export function openRoom(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

/** How often one who is here says so, and for how long a sign of life counts, in milliseconds. */
export interface Rhythm {
  readonly beat: number
  readonly patience: number
}

const calm: Rhythm = { beat: 300, patience: 1_500 }

/**
 * Keeps `name` in the room until the signal aborts.
 *
 * A row that says `online: true` would say so forever once its process has died. This one expires by itself unless it is
 * renewed, so whoever dies leaves too, `patience` milliseconds later; who leaves in good order is gone at once.
 */
export async function stayIn(room: Room, name: string, signal: AbortSignal, rhythm = calm): Promise<void> {
  const { presence } = room.repositories
  const since = new Date()
  const giveSign = () => presence.set(name, { since }, { expireIn: rhythm.patience })
  try {
    await giveSign()
    for await (const _ of setInterval(rhythm.beat, undefined, { signal })) await giveSign()
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await presence.delete(name)
  }
}

/** The names of those who are here: now, and then each time that somebody comes or leaves. */
export async function* whoIsHere(room: Room, signal?: AbortSignal): AsyncGenerator<string[]> {
  let before: string | undefined
  for await (const present of room.repositories.presence.watchMany({}, { signal })) {
    const names = present.map(({ id }) => String(id))
    // Signs of life change the rows, but not who is here.
    if (names.join() !== before) yield names
    before = names.join()
  }
}

/**
 * Adds a line to the document. `update` runs its function on what is stored when it is written, so of lines that are
 * added at the same time none is lost; reading the document and setting it would lose all but the last.
 */
export async function addLine(room: Room, line: string): Promise<void> {
  await room.repositories.document.update(({ lines }) => ({ lines: [...lines, line] }))
}
