/**
 * Thirty people want one of twenty seats, all at once. Booking blindly sells seats that nobody gets; three other ways do not.
 *
 *     node examples/optimistic.ts
 */
import { addressOf } from './address/address-of.ts'
import { bookBlindly, bookByHand, bookByUpdate, bookInUnit, openBoxOffice } from './optimistic/box-office.ts'

const path = addressOf('optimistic')
await using office = await openBoxOffice(path, { destroyOnClose: true })
await using counter = await openBoxOffice(path)
const { shows } = office.repositories

for (const book of [bookBlindly, bookByHand, bookByUpdate, bookInUnit]) {
  await shows.set('hamlet', { seats: 20, guests: [] })
  const bookings = await Promise.allSettled(
    Array.from({ length: 30 }, (_, n) => book(n % 2 === 0 ? office : counter, 'hamlet', `guest ${n}`)),
  )
  const sold = bookings.filter(({ status }) => status === 'fulfilled').length
  const { value } = await shows.get('hamlet')
  const guests = value?.guests.length
  console.log(
    `${book.name}: ${sold} seats sold, ${guests} guests on the list${sold === guests ? '' : '  <- wrong'}`,
  )
}
