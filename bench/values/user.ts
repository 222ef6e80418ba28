import { z } from 'zod'

const noteSchema = z.object({ title: z.string(), text: z.string(), likes: z.int() })

/** What the values of all sizes look like: the larger ones have notes. */
export const userSchema = z.object({
  name: z.string(),
  email: z.email(),
  age: z.int(),
  city: z.string(),
  tags: z.array(z.string()),
  about: z.string(),
  notes: z.array(noteSchema).optional(),
})

export type User = z.infer<typeof userSchema>

export interface UserSize {
  readonly name: '150 B' | '1 KB' | '10 KB'
  readonly notes: number
  /** How many users are stored from the start, and listed: more than a connection keeps in memory. */
  readonly stored: number
  /** How many are loaded at once. */
  readonly loaded: number
}

export const userSizes: readonly UserSize[] = [
  { name: '150 B', notes: 0, stored: 10_000, loaded: 100_000 },
  { name: '1 KB', notes: 4, stored: 10_000, loaded: 20_000 },
  { name: '10 KB', notes: 47, stored: 2_000, loaded: 2_000 },
]

export const userWithNotes = (index: number, notes: number): User => ({
  name: `Ada Lovelace ${index}`,
  email: `ada.${index}@example.com`,
  age: 18 + (index % 60),
  city: 'Paris',
  tags: ['reader', 'writer'],
  about: 'Writes programs for engines that are not built yet.',
  ...(notes > 0 && { notes: Array.from({ length: notes }, (_, note) => noteAt(index, note)) }),
})

const noteAt = (index: number, note: number) => ({
  title: `Note ${note} of ${index}`,
  text: 'The engine weaves algebraic patterns as the loom weaves flowers and leaves: it has no pretensions to originate anything, it does whatever we know how to order it to perform.',
  likes: (index * 31 + note) % 1_000,
})
