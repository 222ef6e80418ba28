import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { AnyDefinition } from '../../src/schema/definition.types.ts'
import { jsonSchemaOf } from '../../src/schema/json-schema.ts'
import { describeEngine, describeEngines, type TestEngine } from '../engines.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectFor, run, write } from './project.ts'

const { object: o } = z
const users = (schema: z.ZodType, pattern: readonly [string, '*'] = ['users', '*']) =>
  defineSchema(pattern, schema) as AnyDefinition
const named = users(o({ name: z.string() }))
const fullNamed = users(o({ fullName: z.string() }))

/** An old release as a process: it has the first schema, and no folder of migrations. */
const oldRelease = (address: string, body: string) => `import { Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
const told = ({ code, repository, replacedBy }) => ({ code, repository, replacedBy })
try {
  const db = await Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() })).open('${address}')
  const { users } = db.repositories
  ${body}
} catch (error) {
  console.log(JSON.stringify(told(error)))
}`

/** A database, and ways to bring it to the next schemas. */
function project(engine: TestEngine) {
  const folder = projectFolder()
  const path = engine.newAddress()
  const generate = async (next: readonly AnyDefinition[], ...renames: string[]) => {
    const made = projectFor(engine.name, folder, ...next)
    const generated = await generateQuietly(made, ...renames)
    for (const step of generated?.steps ?? [])
      writeFileSync(join(made.migrations, step), 'export const up = () => ({ name: 7 })\n')
    return { made, tag: generated!.tag! }
  }
  /** Returns the tag of the migration. */
  const migrate = async (next: readonly AnyDefinition[], ...renames: string[]) => {
    const { made, tag } = await generate(next, ...renames)
    await migrateQuietly(made, path)
    return tag
  }
  return { folder, path, generate, migrate }
}

const open = (path: string, ...of: readonly AnyDefinition[]) => Valkeyrie.withSchemas(of).open(path)

async function goesOn(path: string, ...of: readonly AnyDefinition[]): Promise<void> {
  await (await open(path, ...of)).close()
  await (await Valkeyrie.withSchemas(of).open(path, { readOnly: true })).close()
}

async function isRefused(path: string, release: AnyDefinition, replacedBy: string): Promise<void> {
  const told = { code: 'MIGRATION', repository: release.name, replacedBy }
  await expect(open(path, release)).rejects.toMatchObject(told)
  const reading = Valkeyrie.withSchemas([release]).open(path, { readOnly: true })
  await expect(reading).rejects.toMatchObject({ ...told, message: expect.stringContaining(replacedBy) })
}

async function valuesOf(path: string): Promise<unknown[]> {
  await using db = await Valkeyrie.open(path)
  return (await Array.fromAsync(db.list({ prefix: [] }))).map(({ value }) => value)
}

/** Runs a statement on a table of the database, past the library. */
async function alter(path: string, text: string): Promise<void> {
  await using db = await Valkeyrie.open(path)
  const client = db.drizzle.$client as { exec?(text: string): void; query?(text: string): Promise<void> }
  if (client.exec !== undefined) return client.exec(text)
  const schema = new URL(path).searchParams.get('schema')
  await client.query!(text.replace(/kv_\w+/, `"${schema}".$&`))
}

const aged = o({ name: z.string(), age: z.int() })
const notes = defineSchema(['notes', '*'], aged) as AnyDefinition
const rename = 'users.name=fullName'

describeEngines('a release that a migration has replaced', (engine) => {
  test('cannot start again as a process: the error names the migration, and nothing is written', async () => {
    const { folder, path, migrate } = project(engine)
    await migrate([named])
    write(folder, 'old.mjs', oldRelease(path, "await users.set('ann', { name: 'Ann' })\nawait db.close()"))
    expect(await run(folder, ['old.mjs'])).toEqual({ code: 0, text: '', output: '' })
    const tag = await migrate([fullNamed], rename)
    const { output } = await run(folder, ['old.mjs'])
    expect(JSON.parse(output)).toEqual({ code: 'MIGRATION', repository: 'users', replacedBy: tag })
    expect(await valuesOf(path)).toEqual([{ fullName: 'Ann' }])
    await using db = await open(path, fullNamed)
    expect(await db.repository(fullNamed).count()).toBe(1)
  })

  test('keeps running while a migration replaces it: each write ends in the new shape or is refused, and it cannot start again', async () => {
    const { folder, path, migrate } = project(engine)
    await migrate([named])
    write(
      folder,
      'old.mjs',
      oldRelease(
        path,
        `let n = 0
        try {
          for (; ; n++) {
            await users.set(\`u\${n}\`, { name: String(n) })
            if (n === 5) console.log('writes')
          }
        } catch (error) {
          console.log(JSON.stringify({ n, ...told(error) }))
        }
        await db.close()`,
      ),
    )
    const child = spawn(process.execPath, ['old.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk
    })
    const ended = once(child, 'close')
    await once(child.stdout, 'data')
    const tag = await migrate([fullNamed], rename)
    await ended
    const told = { code: 'MIGRATION', repository: 'users', replacedBy: tag }
    const { n, ...thrown } = JSON.parse(printed.split('\n')[1]!)
    expect(thrown).toEqual(told)
    const stored = (await valuesOf(path)).map((value) => Number((value as { fullName: string }).fullName))
    expect(stored.sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, at) => at))
    expect(JSON.parse((await run(folder, ['old.mjs'])).output)).toEqual(told)
  })

  test('is current again if a later migration brings its schema back', async () => {
    const { path, migrate } = project(engine)
    await migrate([named])
    await using running = await open(path, named)
    const first = await migrate([fullNamed], rename)
    await expect(running.set(['users', 'a'], { name: 'A' })).rejects.toMatchObject({ replacedBy: first })
    await expect(running.repository(named).count()).rejects.toMatchObject({ replacedBy: first })
    await isRefused(path, named, first)
    const second = await migrate([named], 'users.fullName=name')
    await goesOn(path, named)
    await isRefused(path, fullNamed, second)
    await isRefused(path, named, await migrate([fullNamed], rename))
    await goesOn(path, fullNamed)
  })

  test('can neither change nor take away what the migration has changed, however it asks; reads by key go on', async () => {
    const { path, migrate } = project(engine)
    await migrate([named, notes])
    await using running = await open(path, named, notes)
    const [users, others] = [running.repository(named), running.repository(notes)]
    const ids = ['a', 'b', 'c']
    for (const id of ids) await users.set(id, { name: id })
    await others.set('n', { name: 'n', age: 1 })

    const told = {
      code: 'MIGRATION',
      repository: 'users',
      replacedBy: await migrate([fullNamed, notes], rename),
    }
    const writes = [
      () => users.delete('a'),
      () => running.delete(['users', 'a']),
      () => running.atomic().delete(['users', 'a']).commit(),
      () => users.touch('a', { expireIn: 1_000_000 }),
      () => running.unitOfWork(async (unit) => void (await unit.repository(named).delete('a'))),
      () => users.set('a', { name: 'A' }),
      () => users.insert('d', { name: 'D' }),
    ]
    for (const call of writes) await expect(call(), String(call)).rejects.toMatchObject(told)

    expect((await running.get(['users', 'a'])).value).toEqual({ fullName: 'a' })
    expect(await others.delete('n')).toBe(true)
    await running.delete(['elsewhere', 'a'])
    expect(await valuesOf(path)).toEqual(ids.map((id) => ({ fullName: id })))
  })

  test('is refused by a database that `baseline` has marked as migrated', async () => {
    const { path, generate } = project(engine)
    await goesOn(path, fullNamed)
    await generate([named])
    const { made, tag } = await generate([fullNamed], rename)
    await migrateQuietly(made, path, { baseline: true })
    await isRefused(path, named, tag)
    await goesOn(path, fullNamed)
  })

  test('is refused after the next migration, even if a release that keeps no record applied those before', async () => {
    const { path, migrate } = project(engine)
    const titled = users(o({ title: z.string() }))
    await migrate([named])
    const second = await migrate([fullNamed], rename)
    await alter(path, 'drop table kv_past_schemas')
    await goesOn(path, fullNamed)
    const third = await migrate([titled], 'users.fullName=title')
    await isRefused(path, named, second)
    await isRefused(path, fullNamed, third)
    await goesOn(path, titled)
  })

  test('that ignores the record and stores its own schema keeps no other release out', async () => {
    const { path, migrate } = project(engine)
    await migrate([named])
    const tag = await migrate([fullNamed], rename)
    const schema = JSON.stringify(jsonSchemaOf(named.schema))
    await alter(path, `update kv_collections set schema = '${schema}', version = version + 1`)
    await (await Valkeyrie.inspect(path, { readOnly: true })).close()
    await (await Valkeyrie.inspect(path)).close()
    await isRefused(path, named, tag)
    await goesOn(path, fullNamed)
  })
})

describeEngine('sqlite', 'a release', (engine) => {
  test.each<[string, AnyDefinition, AnyDefinition, string[]]>([
    ['a field has a default', named, users(o({ name: z.string(), role: z.string().default('guest') })), []],
    ['a field is gone', users(aged), named, []],
    ['a field has another type', named, users(o({ name: z.int() })), []],
    ['the pattern is another one', named, users(o({ name: z.string() }), ['people', '*']), ['users=people']],
    ['the repository is gone', named, notes, []],
  ])('is refused if %s', async (_, before, after, renames) => {
    const { path, migrate } = project(engine)
    await migrate([before])
    {
      await using db = await open(path, before)
      await db.set(['users', 'ann'], { name: 'Ann', age: 7 })
    }
    const tag = await migrate([after], ...renames)
    await isRefused(path, before, tag)
    await goesOn(path, after)
    // A program that declares nothing misreads nothing.
    await (await Valkeyrie.open(path)).close()
    await (await Valkeyrie.inspect(path)).close()
    const other = Valkeyrie.withSchemas([before]).open(path, { engine: 'node:sqlite' })
    await expect(other).rejects.toMatchObject({ code: 'MIGRATION', replacedBy: tag })
  })

  test('keeps working as long as its values fit', async () => {
    const { path, migrate } = project(engine)
    const more = users(o({ name: z.string(), age: z.int().optional() }))
    await migrate([named])
    await migrate([more])
    await goesOn(path, named)
    const tag = await migrate([fullNamed], rename)
    await isRefused(path, named, tag)
    await isRefused(path, more, tag)
    await goesOn(path, fullNamed)
  })

  test('is refused even if no migration has seen its schema', async () => {
    const { path, migrate } = project(engine)
    const edited = users(o({ name: z.string(), fax: z.string().optional() }))
    await migrate([named])
    await goesOn(path, edited)
    await isRefused(path, edited, await migrate([fullNamed], rename))
  })

  test('keeps working with schemas that are edited back and forth, unless a migration has replaced them', async () => {
    const titled = users(o({ title: z.string() }))
    const edits = [fullNamed, titled, named, fullNamed]
    const plain = engine.newAddress()
    for (const edit of edits) await goesOn(plain, edit)
    const { path, migrate } = project(engine)
    await migrate([named])
    for (const edit of edits) await goesOn(path, edit)
    await migrate([fullNamed], rename)
    for (const edit of [titled, users(o({ name: z.int() })), fullNamed]) await goesOn(path, edit)
  })

  test('may declare collections that no migration knows, and a new name for a removed one', async () => {
    const { path, migrate } = project(engine)
    await migrate([named])
    await goesOn(path, notes)
    const tag = await migrate([fullNamed], rename)
    await goesOn(path, fullNamed, notes)
    const both = open(path, notes, named)
    await expect(both).rejects.toMatchObject({ repository: 'users', replacedBy: tag })
    const gone = await migrate([defineSchema(['rooms', '*'], aged) as AnyDefinition])
    await isRefused(path, fullNamed, gone)
    await goesOn(path, notes)
    await goesOn(
      path,
      defineSchema(['users', '*'], o({ fullName: z.string() }), { name: 'people' }) as AnyDefinition,
    )
  })
})
