import { NotFoundError, type OpenOptions, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { retry } from './retry.ts'

const show = z.object({ seats: z.int(), guests: z.array(z.string()) })
type Show = z.infer<typeof show>

const schemas = Valkeyrie.withSchema(['shows', '*'], show)

/** Shows, each with its number of seats and the guests who have one. */
export type BoxOffice = Awaited<ReturnType<typeof openBoxOffice>>
export type Book = (office: BoxOffice, id: string, guest: string) => Promise<void>

export function openBoxOffice(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

export class SoldOutError extends Error {
  override readonly name = 'SoldOutError'
}

function withGuest(show: Show, guest: string): Show {
  if (show.guests.length === show.seats) throw new SoldOutError('Sold out')
  return { ...show, guests: [...show.guests, guest] }
}

/** WRONG: of those who read the same state, each overwrites the guest of the one before, who was told to have a seat. */
export const bookBlindly: Book = async ({ repositories: { shows } }, id, guest) => {
  const { key, value } = await shows.get(id)
  if (value === null) throw new NotFoundError(key)
  await shows.set(id, withGuest(value, guest))
}

/** Check-and-set: writes only where nobody has written since the read, else reads and decides again. */
export const bookByHand: Book = (office, id, guest) =>
  retry(async () => {
    const entry = await office.repositories.shows.get(id)
    if (entry.value === null) throw new NotFoundError(entry.key)
    return office.atomic().check(entry).set(entry.key, withGuest(entry.value, guest)).commit()
  })

/** `update` does the same for one row. Its function may run more than once, and a throw of it writes nothing. */
export const bookByUpdate: Book = async ({ repositories: { shows } }, id, guest) => {
  await shows.update(id, (show) => withGuest(show, guest))
}

/** A unit of work does the same for whatever it reads and writes. */
export const bookInUnit: Book = (office, id, guest) =>
  office.unitOfWork(async ({ repositories: { shows } }) => {
    const { key, value } = await shows.get(id)
    if (value === null) throw new NotFoundError(key)
    await shows.set(id, withGuest(value, guest))
  })
