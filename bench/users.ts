import { z } from 'zod'
import { storedUsers } from './tasks.ts'

export const userSchema = z.object({
  name: z.string(),
  email: z.email(),
  age: z.int(),
  city: z.string(),
  tags: z.array(z.string()),
  about: z.string(),
})

export type User = z.infer<typeof userSchema>

/** Values of about 150 bytes as JSON, to be used in turn. */
export const users: readonly User[] = Array.from({ length: 1_000 }, (_, index) => ({
  name: `Ada Lovelace ${index}`,
  email: `ada.${index}@example.com`,
  age: 18 + (index % 60),
  city: 'Paris',
  tags: ['reader', 'writer'],
  about: 'Writes programs for engines that are not built yet.',
}))

export const userAt = (index: number): User => users[index % users.length]!

const idAt = (index: number): string => `user-${String(index).padStart(8, '0')}`

/** The ids of the users that are stored from the start; `userAt` gives the value of each. */
export const storedIds: readonly string[] = Array.from({ length: storedUsers }, (_, index) => idAt(index))

/** What the ages of all stored users add up to. */
export const sumOfAges = storedIds.reduce((sum, _, index) => sum + userAt(index).age, 0)

/** All indexes of `storedIds`, in an order that the file does not know: the stride shares no factor with their number. */
export const readingOrder: readonly number[] = storedIds.map((_, index) => (index * 7_919) % storedUsers)

/** The indexes of the two users that a unit of work changes: it swaps their ages, and the next one swaps them back. */
export const pairOfUsers = (index: number): readonly [number, number] => {
  const first = ((index >> 1) * 7_919) % storedUsers
  return [first, (first + 1) % storedUsers]
}

/** What units of work on the first `n` pairs see of the ages in all. */
export const sumOfAgesOfPairs = (n: number): number =>
  Array.from({ length: n }, (_, index) => pairOfUsers(index))
    .flat()
    .reduce((sum, index) => sum + userAt(index).age, 0)

/** Ids to write to, without end: by turns one that is stored, in random order, and a new one. */
export function* idsToWrite(): Generator<string, never> {
  for (let index = 0; ; index++) {
    yield storedIds[readingOrder[index % storedUsers]!]!
    yield idAt(storedUsers + ((index * 7_919) % 1_000_003))
  }
}
