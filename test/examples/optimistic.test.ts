import type { AtomicResult } from 'valkeyrie'
import { expect, it } from 'vitest'
import {
  bookByHand,
  bookByUpdate,
  bookInUnit,
  openBoxOffice,
  SoldOutError,
} from '../../examples/optimistic/box-office.ts'
import { retry } from '../../examples/optimistic/retry.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { enginesOf, runExample } from './run-example.ts'

const path = temporaryFolder()

it.each(enginesOf('optimistic'))(
  'shows seats that are sold twice, and three ways that do not, on %s',
  async (engine) => {
    const lines = (await runExample('optimistic', engine)).trimEnd().split('\n')
    expect(lines[0]).toMatch(/^bookBlindly: .*<- wrong$/)
    expect(lines.slice(1)).toEqual(
      ['bookByHand', 'bookByUpdate', 'bookInUnit'].map(
        (name) => `${name}: 20 seats sold, 20 guests on the list`,
      ),
    )
  },
)

it('gives a seat to exactly those who were told so, mixed and over two connections', async () => {
  const file = path()
  await using here = await openBoxOffice(file)
  await using there = await openBoxOffice(file)
  const { shows } = here.repositories
  await shows.set('hamlet', { seats: 25, guests: [] })
  const ways = [bookByHand, bookByUpdate, bookInUnit]
  const guests = Array.from({ length: 36 }, (_, n) => `guest ${n}`)
  const bookings = await Promise.allSettled(
    guests.map((guest, n) => ways[n % 3]!(n % 2 === 0 ? here : there, 'hamlet', guest)),
  )
  const { value } = await shows.get('hamlet')
  const told = guests.filter((_, n) => bookings[n]!.status === 'fulfilled')
  expect(told).toHaveLength(25)
  expect(value?.guests.toSorted()).toEqual(told.toSorted())
  for (const booking of bookings) {
    if (booking.status === 'rejected') expect(booking.reason).toBeInstanceOf(SoldOutError)
  }
  await expect(bookByHand(here, 'macbeth', 'ada')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

it('retries until a commit succeeds, and tells who was in the way when it gives up', async () => {
  const conflicts = [{ key: ['k'], expected: null, actual: '0'.repeat(20) }]
  let left = 3
  const attempt = async (): Promise<AtomicResult> =>
    left-- > 0 ? { ok: false, conflicts } : { ok: true, versionstamp: '1' }
  await retry(attempt, { shortest: 1, longest: 2 })
  expect(left).toBe(-1)

  left = Number.POSITIVE_INFINITY
  const failed = retry(attempt, { attempts: 4, shortest: 1, longest: 2 })
  await expect(failed).rejects.toMatchObject({ code: 'CONFLICT', attempts: 4, conflicts })
})
