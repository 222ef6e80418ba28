import { type } from 'arktype'
import * as v from 'valibot'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const person = z.object({
  name: z.string(),
  email: z.email(),
  address: z.object({ city: z.string() }).optional(),
})

/** Calls `defineSchema` as a program without types could. */
const loose = defineSchema as unknown as (...args: unknown[]) => unknown

describe('defineSchema', () => {
  it('makes a frozen definition', () => {
    const users = defineSchema(['users', '*'], person, {
      indexes: [{ on: 'email', unique: true }, { on: ['address.city', 'name'] }],
    })
    expect(users).toEqual({
      pattern: ['users', '*'],
      schema: person,
      name: 'users',
      indexes: [
        { fields: ['email'], unique: true },
        { fields: ['address.city', 'name'], unique: false },
      ],
      references: {},
      idKinds: [],
    })
    for (const part of [
      users,
      users.pattern,
      users.indexes,
      users.indexes[0],
      users.indexes[1]?.fields,
      users.references,
    ]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('keeps what it was given apart from what the caller changes later', () => {
    const bytes = new Uint8Array([1])
    const pattern: [string, Uint8Array] = ['files', bytes]
    const files = defineSchema(pattern, person)
    pattern[0] = 'other'
    bytes[0] = 2
    expect(files.pattern).toEqual(['files', new Uint8Array([1])])
  })

  it('names a definition by its words or by its options', () => {
    expect(defineSchema(['users', '*', 'blog-posts', '*'], person).name).toBe('usersBlogPosts')
    expect(defineSchema(['users', '*'], person, { name: 'people' }).name).toBe('people')
    expect(defineSchema(['*'], person, { name: 'people' }).name).toBe('people')
    expect(() => defineSchema(['*'], person)).toThrow(TypeError)
  })

  it('takes any Standard Schema', () => {
    const valibot = v.object({ name: v.string() })
    const arktype = type({ name: 'string' })
    expect(defineSchema(['a'], valibot).schema).toBe(valibot)
    expect(defineSchema(['a'], arktype).schema).toBe(arktype)
  })

  it('remembers references', () => {
    const users = defineSchema(['users', '*'], person)
    const posts = defineSchema(['posts', '*'], z.object({ authorId: z.string() }), {
      references: { authorId: users },
    })
    expect(posts.references.authorId).toBe(users)
  })
})

describe('defineSchema refuses', () => {
  it.for([undefined, null, 'users', [], ['users', null], ['users', Number.NaN], [{}], ['\ud800']])(
    'the pattern %j',
    (pattern) => {
      expect(() => loose(pattern, person)).toThrow(TypeError)
    },
  )

  it.for([
    undefined,
    null,
    {},
    { '~standard': {} },
    { '~standard': { version: 2, validate() {} } },
    () => true,
  ])('the schema %j', (schema) => {
    expect(() => loose(['users', '*'], schema)).toThrow(/Standard Schema/)
  })

  it.for([
    '',
    'two words',
    '1st',
    'a.b',
    "it's",
    'a-b',
    '__proto__',
    'constructor',
    'toString',
    'then',
    'prototype',
    5,
    null,
  ])('the name %j', (name) => {
    expect(() => loose(['users', '*'], person, { name })).toThrow(TypeError)
  })

  it('a name of the pattern that no repository can have', () => {
    expect(() => defineSchema(['constructor', '*'], person)).toThrow("'constructor' already means something")
    expect(() => defineSchema(['1st', '*'], person)).toThrow("{ name: 'people' }")
  })

  it.for([
    null,
    [],
    'people',
    { indices: [] },
    { indexes: { on: 'email' } },
    { indexes: ['email'] },
    { indexes: [{ on: 'email', uniqe: true }] },
    { indexes: [{ on: 'email', unique: 1 }] },
    { indexes: [{}] },
    { indexes: [{ on: [] }] },
    { indexes: [{ on: ['email', 5] }] },
    { indexes: [{ on: ['email', 'email'] }] },
    { indexes: [{ on: 'email' }, { on: ['email'], unique: true }] },
    { references: { email: 'users' } },
    { references: { email: null } },
    { references: { none: loose(['users', '*'], person) } },
    { references: [] },
  ])('the options %j', (options) => {
    expect(() => loose(['users', '*'], person, options)).toThrow(TypeError)
  })

  it.for([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a"b',
    "a'b",
    'a`b',
    'a,b',
    'a\\b',
    'a[0]',
    'a\nb',
    'a\u0000',
    '\ud800',
  ])('an index on %j', (on) => {
    expect(() => loose(['users', '*'], person, { indexes: [{ on }] })).toThrow(/not a path to a field/)
  })

  it('an unknown option with the names of those there are', () => {
    expect(() => loose(['users', '*'], person, { indices: [] })).toThrow(
      "There is no option 'indices': there are name, indexes, search, references",
    )
    expect(() => loose(['users', '*'], person, { indexes: [{ on: 'email', uniqe: true }] })).toThrow(
      "There is no option 'uniqe': there are on, unique",
    )
  })
})

it('two indexes over the same fields in another order are two indexes', () => {
  const users = defineSchema(['users', '*'], person, {
    indexes: [{ on: ['name', 'email'] }, { on: ['email', 'name'] }],
  })
  expect(users.indexes).toHaveLength(2)
})
