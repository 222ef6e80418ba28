import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'

const user = z.object({ email: z.string(), city: z.string() })
const users = defineSchema(['users', '*'], user, { indexes: [{ on: 'city' }] })
const authors = defineSchema(['authors', '*'], z.object({ name: z.string() }))
const note = z.object({ by: z.string() })

/** Releases of a program, by what is different in them. */
export const releases = {
  base: Valkeyrie.withSchemas([users]),
  'without an index': Valkeyrie.withSchema(['users', '*'], user),
  'with another index': Valkeyrie.withSchema(['users', '*'], user, {
    indexes: [{ on: 'city' }, { on: 'email' }],
  }),
  'with a unique index': Valkeyrie.withSchema(['users', '*'], user, {
    indexes: [{ on: 'city' }, { on: 'email', unique: true }],
  }),
  'with another name': Valkeyrie.withSchema(['users', '*'], user, {
    name: 'people',
    indexes: [{ on: 'city' }],
  }),
  'with another pattern under its name': Valkeyrie.withSchema(['people', '*'], user, { name: 'users' }),
  'with a pattern more': Valkeyrie.withSchemas([users]).withSchema(['users', 'root'], user, { name: 'root' }),
  'with another schema': Valkeyrie.withSchema(
    ['users', '*'],
    z.object({ email: z.string(), city: z.string(), age: z.int().optional() }),
    { indexes: [{ on: 'city' }] },
  ),
  'with notes': Valkeyrie.withSchemas([users, authors]).withSchema(['notes', '*'], note),
  'with notes that refer': Valkeyrie.withSchemas([users, authors]).withSchema(['notes', '*'], note, {
    references: { by: authors },
  }),
  'without schemas': Valkeyrie.withSchemas([]),
} as const

export type Release = keyof typeof releases
