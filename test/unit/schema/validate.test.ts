import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import * as v from 'valibot'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ValidationError } from '../../../src/contract/errors.ts'
import { validate } from '../../../src/schema/validate.ts'

const key = ['users', 'alice']
const pattern = ['users', '*'] as const

/** The error that a call throws or that its promise rejects with. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

describe.each<{ library: string; schema: StandardSchemaV1 }>([
  { library: 'Zod', schema: z.object({ name: z.string(), age: z.string().transform(Number) }) },
  {
    library: 'Valibot',
    schema: v.object({ name: v.string(), age: v.pipe(v.string(), v.transform(Number)) }),
  },
  { library: 'ArkType', schema: type({ name: 'string', age: 'string.numeric.parse' }) },
])('with a schema of $library', ({ schema }) => {
  const definition = defineSchema(pattern, schema)

  it('gives the output at once', () => {
    expect(validate(definition, key, { name: 'Alice', age: '30' })).toEqual({ name: 'Alice', age: 30 })
  })

  it('throws a ValidationError with the key and the issues', async () => {
    const error = await failureOf(() => validate(definition, key, { name: 5, age: '30' }))
    if (!(error instanceof ValidationError)) throw error
    expect(error).toMatchObject({ code: 'VALIDATION', key })
    expect(error.issues).toHaveLength(1)
    expect(error.issues[0]?.message).not.toBe('')
    const [segment] = error.issues[0]?.path ?? []
    expect(typeof segment === 'object' ? segment.key : segment).toBe('name')
  })
})

describe.each<{ library: string; schema: StandardSchemaV1 }>([
  { library: 'Zod', schema: z.string().refine(async (name) => name !== 'root', 'is taken') },
  {
    library: 'Valibot',
    schema: v.pipeAsync(
      v.string(),
      v.checkAsync(async (name) => name !== 'root', 'is taken'),
    ),
  },
])('with an asynchronous schema of $library', ({ schema }) => {
  const definition = defineSchema(pattern, schema)

  it('gives a promise of the output', async () => {
    const output = validate(definition, key, 'alice')
    expect(output).toBeInstanceOf(Promise)
    expect(await output).toBe('alice')
  })

  it('rejects with a ValidationError', async () => {
    const output = validate(definition, key, 'root')
    await expect(output).rejects.toThrow(ValidationError)
    await expect(output).rejects.toMatchObject({ key, issues: [{ message: 'is taken' }] })
  })
})

describe('a schema that fails in another way', () => {
  const failing = (run: () => never | Promise<never>) =>
    defineSchema(pattern, { '~standard': { version: 1, vendor: 'test', validate: run } })
  const failure = new Error('no network')
  const refusal = {
    code: 'VALIDATION',
    key,
    cause: failure,
    message: 'The value of ["users", "alice"] is not valid: the schema threw: no network',
  }

  it('is a ValidationError with the key, and what it has thrown as its cause', () => {
    const definition = failing(() => {
      throw failure
    })
    expect(() => validate(definition, key, 1)).toThrow(expect.objectContaining(refusal))
  })

  it('is one also where it rejects', async () => {
    const output = validate(
      failing(() => Promise.reject(failure)),
      key,
      1,
    )
    await expect(output).rejects.toThrow(ValidationError)
    await expect(output).rejects.toMatchObject(refusal)
  })

  it.each([
    [
      'Zod',
      z.object({
        name: z.string().refine(() => {
          throw failure
        }),
      }),
    ],
    [
      'Valibot',
      v.object({
        name: v.pipe(
          v.string(),
          v.check(() => {
            throw failure
          }),
        ),
      }),
    ],
    [
      'ArkType',
      type({
        name: type('string').narrow(() => {
          throw failure
        }),
      }),
    ],
  ] as const)('is one in %s', async (_, schema) => {
    expect(await failureOf(() => validate(defineSchema(pattern, schema), key, { name: 'x' }))).toMatchObject(
      refusal,
    )
  })
})

it('fills in defaults and drops what the schema does not know', () => {
  const definition = defineSchema(pattern, z.object({ likes: z.int().default(0) }))
  expect(validate(definition, key, { other: true })).toEqual({ likes: 0 })
})

describe('with an asynchronous check of Zod that rejects', () => {
  const down = new Error('down')
  const schemas = {
    refine: (check: () => Promise<boolean>) => z.object({ name: z.string().refine(async () => check()) }),
    transform: (check: () => Promise<boolean>) =>
      z.object({ name: z.string().transform(async () => check()) }),
    check: (check: () => Promise<boolean>) =>
      z.object({
        name: z.string().check(async () => {
          await check()
        }),
      }),
    lazy: (check: () => Promise<boolean>) =>
      z.object({ name: z.lazy(() => z.string().refine(async () => check())) }),
    union: (check: () => Promise<boolean>) =>
      z.object({ name: z.union([z.number(), z.array(z.string()), z.string().refine(async () => check())]) }),
  }

  it('an async function in it runs once, and rejects the call alone', async () => {
    for (const [where, make] of Object.entries(schemas)) {
      let calls = 0
      const schema = make(async () => {
        calls += 1
        throw down
      })
      const error = await failureOf(() => validate(defineSchema(pattern, schema), key, { name: 'x' }))
      expect(error, where).toMatchObject({ code: 'VALIDATION', key, cause: down })
      // What was dropped would be an unhandled rejection, which fails this file.
      expect(calls, where).toBe(1)
    }
  })

  it('a function that does not say that it is asynchronous runs twice the first time, and once from then on', async () => {
    let calls = 0
    const schema = z.string().refine(() => {
      calls += 1
      return Promise.resolve(true)
    })
    const definition = defineSchema(pattern, schema)
    expect(await validate(definition, key, 'x')).toBe('x')
    expect(calls).toBe(2)
    expect(await validate(definition, key, 'y')).toBe('y')
    expect(calls).toBe(3)
  })

  it('ends the process the first time where the function does not say that it is asynchronous', async () => {
    const program = `
      import { z } from 'zod'
      const schema = z.string().refine(() => Promise.reject(new Error('dropped by Zod')))
      schema['~standard'].validate('x').catch(() => {})`
    const ended = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    await expect(ended).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('dropped by Zod') })
  })
})

describe('with a schema that breaks the contract of Standard Schema', () => {
  const answers = [undefined, null, 'text', {}, { issues: null }, { issues: 'bad' }]
  it.each(answers.flatMap((answer) => [answer, Promise.resolve(answer)].map((given) => ({ given }))))(
    'whose answer is none, throws a ValidationError with the key: $given',
    async ({ given }) => {
      const schema = { '~standard': { version: 1, vendor: 'own', validate: () => given } }
      const definition = defineSchema(pattern, schema as never)
      const error = await failureOf(() => validate(definition, key, 'x'))
      expect(error).toMatchObject({
        code: 'VALIDATION',
        key,
        message: expect.stringContaining('contract of Standard Schema'),
      })
    },
  )
})

it('says in a patch, too, what an issue of a class says', async () => {
  const schema = type({ note: 'string', 'n?': 'number > 3' })
  await using db = await Valkeyrie.withSchema(pattern, schema).open()
  const { users } = db.repositories
  await users.set('alice', { note: 'x' })
  const error = await failureOf(() => users.update('alice', { n: 1 }))
  if (!(error instanceof ValidationError)) throw error
  expect(error.issues).toEqual([{ message: 'must be more than 3 (was 1)', path: ['n'] }])
})

it('says what to do instead, where a value given back has the output of a pipe that converts', async () => {
  const schema = z.object({
    n: z.string().pipe(z.coerce.number()),
    at: z.string().trim().pipe(z.coerce.date()),
    big: z.string().pipe(z.coerce.bigint()),
    is: z.string().pipe(z.coerce.boolean()),
    text: z.number().pipe(z.coerce.string()),
    inner: z.object({ n: z.string() }).pipe(z.object({ n: z.coerce.number<string>() })),
    checked: z.string().min(3, 'at least three').pipe(z.string().trim()),
  })
  await using db = await Valkeyrie.withSchema(pattern, schema).open(undefined, { validateReads: true })
  const { users } = db.repositories
  const input = { n: '5', at: '2024-01-01', big: '5', is: 'x', text: 5, inner: { n: '5' }, checked: 'abc' }
  await users.set('alice', input)
  const stored = (await users.get('alice')).value
  const changes: [object, path: string][] = [
    [{ n: 7 }, 'n'],
    [{ at: new Date(7) }, 'at'],
    [{ big: 7n }, 'big'],
    [{ is: false }, 'is'],
    [{ text: '7' }, 'text'],
    [{ inner: { n: 7 } }, 'inner.n'],
  ]
  for (const [change, path] of changes) {
    const told = `${path}: was changed, and has a transform that cannot be reversed, so this could be its input or its output: pass the input in a patch`
    await expect(users.update('alice', (value) => ({ ...value, ...change }))).rejects.toThrow(told)
    const inUnit = db.unitOfWork(async (unit) => {
      Object.assign((await unit.repositories.users.get('alice')).value!, change)
    })
    await expect(inUnit).rejects.toThrow(told)
  }
  const refused: [object, string][] = [
    [{ n: '7' }, 'n: Invalid input: expected number, received string'],
    [{ checked: 'a' }, 'checked: at least three'],
  ]
  for (const [change, told] of refused)
    await expect(users.update('alice', (value) => ({ ...value, ...change }))).rejects.toThrow(told)
  expect((await users.get('alice')).value).toEqual(stored)
  await users.update('alice', { n: '7', inner: { n: '7' } })
  expect((await users.get('alice')).value).toEqual({ ...stored, n: 7, inner: { n: 7 } })
})

it('reports every issue of a patch, however many, and names the first of them', async () => {
  const schema = z.object({ items: z.array(z.number()) })
  await using db = await Valkeyrie.withSchema(pattern, schema).open()
  const { users } = db.repositories
  await users.set('alice', { items: [] })
  const items = Array.from({ length: 150_000 }, () => 'none') as never
  const error = await failureOf(() => users.update('alice', { items }))
  if (!(error instanceof ValidationError)) throw error
  expect(error.issues).toHaveLength(150_000)
  expect(error.message).toMatch(/items\.0: .*; and 149980 more$/)
})

it('keeps the items of a codec that have moved or stay, in a list of thousands', async () => {
  const date = z.codec(z.iso.datetime(), z.date(), {
    decode: (text) => new Date(text),
    encode: (at) => at.toISOString(),
  })
  await using db = await Valkeyrie.withSchema(pattern, z.object({ list: z.array(date) })).open()
  const { users } = db.repositories
  const days = Array.from({ length: 30_000 }, (_, n) => new Date(n * 86_400_000))
  await users.set('alice', { list: days.map((day) => day.toISOString()) })
  await users.update('alice', ({ list }) => ({ list: list.slice(1).reverse() }))
  expect((await users.get('alice')).value?.list).toEqual(days.slice(1).reverse())
})
