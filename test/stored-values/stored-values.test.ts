import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type } from 'arktype'
import { ValidationError, Valkeyrie } from 'valkeyrie'
import { type AnyDefinition, defineSchema } from 'valkeyrie/schema'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { check } from '../../src/migration/check.ts'
import { inTurn } from '../extent.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectOf } from '../migrate/project.ts'
import { upgrade } from '../migrate/upgrade.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { type Kind, type KindName, kinds, type Position, positions } from './kinds.ts'
import { outcomes, outcomeTable } from './outcomes.ts'

const path = temporaryFolder()
const times100 = (n: number) => n * 100

const cells = kinds.flatMap((kind) =>
  positions.flatMap((position) => {
    const schema = position.schema(kind)
    return schema === null ? [] : [{ kind, position, schema, name: nameOf(kind, position) }]
  }),
)

function nameOf({ library, name }: Kind, position: Position): string {
  return `${library}, ${name}, ${position.name}`
}

// The compiler does not know of any of these schemas what it takes.
// biome-ignore lint/suspicious/noExplicitAny: as above
type Rows = any

describe.each(inTurn('kinds of values and positions', cells, 4))('$name', ({ kind, position, schema }) => {
  const { input, output, nextInput, nextOutput, given = nextOutput, wrong } = kind
  const { change, judgement } = outcomes[kind.name]
  const value = position.value(output)
  const definition: AnyDefinition = defineSchema(['rows', '*'], schema, { name: 'rows' })
  const database = Valkeyrie.withSchemas([definition])
  const open = async () => {
    const db = await database.open(undefined, { validateReads: true })
    const rows = (db.repositories as Rows)['rows']
    await rows.set('a', position.value(input))
    return { db: db as Rows, rows, [Symbol.asyncDispose]: () => db.close() }
  }

  it('every write of an input stores the output', async () => {
    await using opened = await open()
    const { db, rows } = opened
    const row = position.value(input)
    await rows.insert('b', row)
    const { id } = await rows.create(row)
    await rows.insertMany([['c', row]])
    await db.set(['rows', 'd'], row)
    await db.atomic().set(['rows', 'e'], row).commit()
    await db.unitOfWork((unit: Rows) => unit.repositories['rows'].set('f', row))
    for (const key of ['a', 'b', id, 'c', 'd', 'e', 'f']) {
      expect((await rows.get(key)).value).toStrictEqual(value)
    }
    await using loaded = await database.from([row], { prefix: ['rows'], keyProperty: () => 'g' })
    expect((await (loaded.repositories as Rows)['rows'].get('g')).value).toStrictEqual(value)
  })

  it('what does not change stays as it is stored', async () => {
    await using opened = await open()
    const { db, rows } = opened
    const writes: Record<string, (note: string) => Promise<unknown>> = {
      'update by a patch': (note) => rows.update('a', { note }),
      'update by a function': (note) => rows.update('a', (row: object) => ({ ...row, note })),
      'updateMany by a patch': (note) => rows.updateMany({ where: {}, set: { note } }),
      'updateMany by a function': (note) =>
        rows.updateMany({ where: {}, set: (row: object) => ({ ...row, note }) }),
      'a patch in a unit': (note) =>
        db.unitOfWork((unit: Rows) => unit.repositories['rows'].update('a', { note })),
      'a change in place': (note) =>
        db.unitOfWork(async (unit: Rows) => {
          const row = await unit.repositories['rows'].get('a')
          row.value.note = note
        }),
    }
    for (const [note, write] of Object.entries(writes)) {
      await write(note)
      expect((await rows.get('a')).value).toStrictEqual({ ...value, note })
    }
  })

  it('a patch that gives it is an input', async () => {
    await using opened = await open()
    const { rows } = opened
    const { field } = position.value(nextInput)
    await rows.update('a', { field })
    expect((await rows.get('a')).value).toStrictEqual(position.value(nextOutput))
    await rows.set('a', position.value(input))
    await rows.updateMany({ where: {}, set: { field } })
    expect((await rows.get('a')).value).toStrictEqual(position.value(nextOutput))
  })

  it(`a change of it in a returned value: ${change}`, async () => {
    await using opened = await open()
    const { db, rows } = opened
    const { field } = position.value(given)
    const writes = [
      () => rows.update('a', (row: object) => ({ ...row, field })),
      () => rows.updateMany({ where: {}, set: (row: object) => ({ ...row, field }) }),
      () =>
        db.unitOfWork(async (unit: Rows) => {
          const row = await unit.repositories['rows'].get('a')
          row.value.field = field
        }),
    ]
    for (const write of writes) {
      await rows.set('a', position.value(input))
      if (change === 'refused') {
        const error = await write().catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(ValidationError)
        expect(error).toMatchObject({
          key: ['rows', 'a'],
          issues: [{ message: expect.stringContaining('pass the input') }],
        })
        expect(error.issues[0].path[0]).toBe('field')
        expect((await rows.get('a')).value).toStrictEqual(value)
      } else {
        await write()
        expect((await rows.get('a')).value).toStrictEqual(position.value(nextOutput))
      }
    }
  })

  it(`validateReads of what the schema has not output: ${judgement}`, async () => {
    const file = path()
    const bad = position.value(wrong)
    await using raw = await Valkeyrie.open(file)
    await raw.set(['rows', 'a'], bad)
    await raw.set(['rows', 'b'], value)
    await using db = await database.open(file, { validateReads: true })
    const rows = (db.repositories as Rows)['rows']
    expect((await rows.get('b')).value).toStrictEqual(value)
    const error = await rows.get('a').catch((thrown: unknown) => thrown)
    if (judgement === 'judged') expect(error).toBeInstanceOf(ValidationError)
    else expect(error.value).toStrictEqual(bad)
  })
})

it('check refuses what no schema has output, and nothing that was just written', async () => {
  const folder = projectFolder()
  const file = join(folder, 'data.db')
  const all = cells.map((cell, i) => ({ ...cell, definition: defineSchema([`r${i}`, '*'], cell.schema) }))
  const project = projectOf(folder, ...all.map(({ definition }) => definition))
  await generateQuietly(project)
  const db = await Valkeyrie.withSchemas(project.definitions).open(file, { migrations: project.migrations })
  for (const { kind, position, definition } of all) {
    await db.set([definition.pattern[0]!, 'a'], position.value(kind.input))
  }
  await db.close()
  expect((await check(project, file)).refused).toStrictEqual([])
  const raw = await Valkeyrie.open(file)
  for (const { kind, position, definition } of all) {
    await raw.set([definition.pattern[0]!, 'a'], position.value(kind.wrong))
  }
  await raw.close()
  const refused = new Set((await check(project, file)).refused.map(({ repository }) => repository))
  const expected = all.filter(({ kind }) => outcomes[kind.name].judgement === 'judged')
  expect(all.filter(({ definition }) => refused.has(definition.name)).map(({ name }) => name)).toStrictEqual(
    expected.map(({ name }) => name),
  )
})

describe('migrate', () => {
  const told = cells.filter(({ kind }) => kind.library === 'Zod')
  const withExtra = told.map(({ kind, position }) => {
    const schema = position.schema(kind) as Rows
    return schema.extend({ extra: told[0]!.schema })
  })
  const before = told.map(({ schema }, i) => defineSchema([`r${i}`, '*'], schema))
  const after = withExtra.map((schema, i) => defineSchema([`r${i}`, '*'], schema))
  const extra = { field: 'a', note: 'n' }

  const upgraded = async (value: (cell: (typeof told)[number]) => unknown) => {
    const rows = told.map((cell, i) => [[`r${i}`, 'a'], value(cell)] as const)
    const made = await upgrade(before, rows, after)
    for (const step of made.generated!.steps) {
      const file = join(made.project.migrations, step)
      expect(readFileSync(file, 'utf8')).toContain('up')
      writeFileSync(file, `export const up = (value) => ({ ...value, extra: ${JSON.stringify(extra)} })\n`)
    }
    return made
  }

  it('a step that changes another field leaves what is stored', async () => {
    const made = await upgraded(({ kind, position }) => position.value(kind.output))
    await made.migrate()
    const values = await made.values()
    for (const [i, { kind, position, name }] of told.entries()) {
      expect(values[JSON.stringify([`r${i}`, 'a'])], name).toStrictEqual({
        ...position.value(kind.output),
        extra,
      })
    }
    expect((await made.check()).refused).toStrictEqual([])
  })

  it('the result of a step is judged as an output', async () => {
    const made = await upgraded(({ kind, position }) => position.value(kind.wrong))
    await expect(made.migrate()).rejects.toMatchObject({ code: 'MIGRATION' })
    const skipInvalid = join(made.folder, 'skipped.jsonl')
    await migrateQuietly(made.project, made.path, { skipInvalid })
    const skipped = readFileSync(skipInvalid, 'utf8').trim().split('\n')
    const refused = new Set(skipped.map((line) => JSON.parse(line).repository))
    const isRefused = told.map(({ name }, i) => [name, refused.has(`r${i}`)])
    expect(isRefused).toStrictEqual(
      told.map(({ name, kind }) => [name, outcomes[kind.name].step === 'refused']),
    )
    const values = await made.values()
    for (const [i, { kind, position, name }] of told.entries()) {
      if (outcomes[kind.name].step !== 'brought into form') continue
      const { field } = position.value(kind.name === 'coerce' ? 5 : kind.output)
      expect(values[JSON.stringify([`r${i}`, 'a'])], name).toMatchObject({ field })
    }
  })
})

describe('a generated default', () => {
  const number = z.codec(z.string(), z.number(), { decode: Number, encode: String })
  const row = (field: z.ZodType) => z.object({ note: z.string(), field })

  it.each([
    ['Zod, of a text', row(z.string().default('d')), 'd'],
    ['Zod, of a text that is trimmed', row(z.string().trim().default(' d ')), ' d '],
    ['Zod, of a codec', row(number.default(5)), 5],
    ['Zod, before a transform', row(z.number().default(5).transform(times100)), 'a step'],
    ['Zod, behind a transform', row(z.number().transform(times100).default(5)), 'a step'],
    ['Zod, of the input', row(z.string().trim().prefault(' d ')), 'a step'],
    ['ArkType, of a text', type({ note: 'string', field: "string = 'd'" }), 'd'],
    ['ArkType, before a transform', type({ note: 'string', field: "string.numeric.parse = '5'" }), 'a step'],
  ] as const)('is what a write fills in, or asks for a step: %s', async (_, schema, filled) => {
    const bare = schema instanceof z.ZodType ? z.object({ note: z.string() }) : type({ note: 'string' })
    const before = defineSchema(['rows', '*'], bare as typeof schema)
    const after = defineSchema(['rows', '*'], schema)
    const made = await upgrade([before], [[['rows', 'a'], { note: 'n' }]], [after])
    if (filled === 'a step') {
      expect(made.generated?.files.some((name) => name.endsWith('.rows.ts'))).toBe(true)
      return
    }
    await made.migrate()
    await using db = await Valkeyrie.withSchemas([after]).open(made.path)
    await (db.repositories as Rows)['rows'].set('b', { note: 'n' })
    const { '["rows","a"]': a, '["rows","b"]': b } = await made.values()
    expect(a).toStrictEqual({ note: 'n', field: filled })
    expect(b).toStrictEqual(a)
  })
})

describe('docs/schemas.md', () => {
  const examples: Record<KindName, string> = {
    'no transform': 'z.string()',
    'trim, lower case': 'z.string().trim().toLowerCase()',
    coerce: 'z.coerce.number()',
    default: "z.string().default('d')",
    catch: 'z.number().catch(0)',
    codec: 'z.codec(z.iso.datetime(), z.date(), …)',
    'one-way, of one type': 'z.number().transform((n) => n * 100)',
    'one-way, of one type, then a schema': 'z.number().transform((n) => n * 100).pipe(z.number())',
    'one-way, to another type': 'z.string().transform(Number)',
    'one-way, to another type, then a schema': 'z.string().transform(Number).pipe(z.int())',
  }

  it('has the table of these outcomes', () => {
    const page = readFileSync(new URL('../../docs/schemas.md', import.meta.url), 'utf8')
    expect(page).toContain(outcomeTable(examples))
  })
})
