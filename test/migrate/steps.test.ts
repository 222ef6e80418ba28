import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { inspectStore } from '../../src/api/open.ts'
import { importRows } from '../../src/transfer/import.ts'
import { openSource } from '../../src/transfer/open-source.ts'
import { command } from '../command/command.ts'
import { describeEngines } from '../engines.ts'
import { extent } from '../extent.ts'
import {
  cli,
  generateQuietly,
  importTables,
  migrateQuietly,
  projectFolder,
  projectFor,
  settingsFor,
  write,
} from './project.ts'

describeEngines('the steps of migrations', (engine) => {
  const projectOf = projectFor.bind(null, engine.name)

  const v1 = defineSchema(['users', '*'], z.object({ age: z.string() }))
  const v2 = defineSchema(['users', '*'], z.object({ age: z.int() }), {
    indexes: [{ on: 'age', unique: true }],
  })
  const up = 'export function up(value) {\n  return { age: Number(value.age) }\n}\n'

  /** A database with rows of the first version, and a migration to the second whose step is filled in. */
  async function upgrade(rows: readonly (readonly [number, { age: string }])[]) {
    const folder = projectFolder()
    const path = engine.newAddress()
    await generateQuietly(projectOf(folder, v1))
    const db = await Valkeyrie.withSchemas([v1]).open(path, { migrations: join(folder, 'migrations') })
    await db.repositories.users.insertMany(rows)
    await db.close()
    const project = projectOf(folder, v2)
    const { steps } = (await generateQuietly(project))!
    const step = join(project.migrations, steps[0]!)
    const template = readFileSync(step, 'utf8')
    const text = () => readAll(path)
    return { folder, path, project, step, template, text }
  }

  async function readAll(path: string) {
    const db = await Valkeyrie.open(path)
    const entries = await Array.fromAsync(db.list({ prefix: ['users'] }))
    await db.close()
    return entries.map(({ value }) => value)
  }

  it('a step is typed, and refuses to run until it is filled in', async () => {
    const { template, project, path, step } = await upgrade([])
    expect(template).toContain('readonly age: string')
    expect(template).toContain('readonly age: number')
    await expect(migrateQuietly(project, path)).rejects.toThrow(step)
    await expect(
      Valkeyrie.withSchemas([v2]).open(path, { migrations: project.migrations }),
    ).resolves.toHaveProperty('close')
  })

  it('a step that fails for some rows names the first ten, counts the others and changes nothing, unless such rows are left out', async () => {
    const words = Array.from({ length: 30 }, (_, i) => [i + 2, { age: `word ${i}` }] as const)
    const { project, path, step, folder, text } = await upgrade([[1, { age: '1' }], ...words])
    writeFileSync(step, up)
    const opening = Valkeyrie.withSchemas([v2]).open(path, { migrations: project.migrations })
    await expect(opening).rejects.toThrow(/run "valkeyrie migrate"/)
    const error = await migrateQuietly(project, path).catch((thrown) => thrown)
    const samples = words
      .slice(0, 10)
      .map(([id]) => expect.stringMatching(`^\\["users", ${id}\\]: age: [^\\n]+$`))
    expect(error).toMatchObject({
      code: 'MIGRATION',
      message: expect.stringMatching(
        /30 rows, so nothing[^\n]+(\n {2}\["users", \d+\]: [^\n]+){10}\n {2}and 20 rows more$/,
      ),
      refused: [{ repository: 'users', rows: 30, samples }],
    })
    expect(await text()).toEqual([{ age: '1' }, ...words.map(([, value]) => value)])
    const skipInvalid = join(folder, 'skipped.jsonl')
    await migrateQuietly(project, path, { skipInvalid })
    expect(await text()).toEqual([{ age: 1 }, ...words.map(([, value]) => value)])
    const skipped = readFileSync(skipInvalid, 'utf8').trimEnd().split('\n')
    expect(skipped.map((text) => JSON.parse(text))).toMatchObject(
      words.map(([id, value]) => ({ key: ['users', id], value })),
    )
    const mended = readFileSync(skipInvalid, 'utf8').replaceAll(/"word (\d+)"/g, '9$1')
    writeFileSync(join(folder, 'mended.ndjson'), mended)
    const { store } = await inspectStore(path, {})
    using source = await openSource(join(folder, 'mended.ndjson'), {}, store.registry)
    expect(await importRows(store, source.rows, { onConflict: 'overwrite' })).toMatchObject({
      overwritten: 30,
    })
    await store.close()
  })

  it('rows that are left out are those of all migrations of a run, and no file is overwritten', async () => {
    const { project, path, step, folder, text } = await upgrade([
      [1, { age: '1' }],
      [2, { age: 'two' }],
    ])
    writeFileSync(step, up)
    const v3 = projectOf(folder, defineSchema(['users', '*'], z.object({ age: z.bigint() })))
    const { steps } = (await generateQuietly(v3))!
    const second =
      "export const up = async ({ age }) => {\n  if (age > 5 || typeof age === 'string') throw new Error('no\\n age')\n  return { age: BigInt(age) }\n}\n"
    writeFileSync(join(project.migrations, steps[0]!), second)
    const skipInvalid = join(folder, 'skipped.jsonl')
    writeFileSync(skipInvalid, 'mine')
    await expect(migrateQuietly(v3, path, { skipInvalid })).rejects.toThrow(/already exists/)
    await expect(migrateQuietly(v3, path, { skipInvalid: join(folder, 'none/x') })).rejects.toThrow(
      /cannot be written/,
    )
    expect(await text()).toEqual([{ age: '1' }, { age: 'two' }])
    rmSync(skipInvalid)
    await migrateQuietly(v3, path, { skipInvalid })
    const lines = readFileSync(skipInvalid, 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).error)).toEqual([expect.stringMatching(/^age: /), 'no age'])
    expect(await text()).toEqual([{ age: 1n }, { age: 'two' }])
  })

  it('what a later migration has changed is checked against the snapshot, as the schema of that time would', async () => {
    /** With this step before another migration. */
    const through = async (text: string) => {
      const made = await upgrade([[1, { age: '1' }]])
      const v3 = projectOf(made.folder, defineSchema(['users', '*'], z.object({ years: z.int() })))
      await generateQuietly(v3, 'users.age=years')
      writeFileSync(made.step, text)
      return { ...made, migrated: migrateQuietly(v3, made.path) }
    }
    const wrong = await through("export const up = () => ({ age: 'x' })\n")
    await expect(wrong.migrated).rejects.toThrow(/cannot convert 1 row,.*\n {2}\["users", 1\]: age: [^\n]+$/)

    const right = await through(`import { MigrationError } from 'valkeyrie'
export const up = (value) => {
  if (value.age === '') throw new MigrationError('not a sign that this has still to be filled in')
  return { ...value, age: Number(value.age), undeclared: 1, none: undefined }
}
`)
    expect(await right.migrated).toHaveLength(2)
    expect(await right.text()).toStrictEqual([{ years: 1 }])
  })

  it('a unique index over duplicates lists them, and changes nothing', async () => {
    const { project, path, step, text } = await upgrade([
      [1, { age: '7' }],
      [2, { age: '07' }],
      [3, { age: '8' }],
    ])
    writeFileSync(step, up)
    await expect(migrateQuietly(project, path)).rejects.toThrow(
      /the same values are in \["users","1"\] and \["users","2"\]/,
    )
    expect(await text()).toEqual([{ age: '7' }, { age: '07' }, { age: '8' }])
  })

  it('goes on after kill -9 in the middle of many rows', async () => {
    const count = extent('rows', 4_000, 100_000)
    const { folder, path, step, text } = await upgrade(
      Array.from({ length: count }, (_, i) => [i, { age: String(i) }]),
    )
    // As long as this file is there, it does not come past a row in the middle.
    const barrier = join(folder, 'barrier')
    writeFileSync(barrier, '')
    writeFileSync(
      step,
      `import { existsSync } from 'node:fs'
export function up({ age }) {
  if (age === '${0.6 * count}' && existsSync('barrier')) return new Promise((resolve) => setInterval(resolve, 1e9))
  return { age: Number(age) }
}
`,
    )
    write(
      folder,
      'schemas.ts',
      `${importTables[engine.name]}
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
export const users = defineSchema(['users', '*'], z.object({ age: z.int() }), { indexes: [{ on: 'age', unique: true }] })
export const { kv, kvLog, kvCollections } = kvTables([users])`,
    )
    write(folder, 'drizzle.config.ts', settingsFor(engine.name))
    const child = spawn(process.execPath, [cli, 'migrate', path], { cwd: folder })
    let printed = ''
    const killed = new Promise<unknown>((resolve) => child.on('exit', (_, signal) => resolve(signal)))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk
      const [, done] = [...printed.matchAll(/\.ts: (\d+) of/g)].at(-1) ?? []
      if (Number(done) >= 0.3 * count) child.kill('SIGKILL')
    })
    expect(await killed).toBe('SIGKILL')
    rmSync(barrier)
    if (engine.name === 'sqlite') expect(existsSync(`${path}.before-0001_users`)).toBe(true)

    // Nothing is visible of it yet, and what others write meanwhile counts.
    const others = await Valkeyrie.open(path)
    expect((await others.get(['users', 5])).value).toEqual({ age: '5' })
    await others.set(['users', 5], { age: '500000' })
    await others.delete(['users', 6])
    await others.set(['users', count], { age: String(count) })
    await others.close()
    const again = await command(folder, 'migrate', path, '--no-backup')
    expect(again).toMatchObject({ code: 0 })
    const [, resumed] = again.text.match(/Applied \S+\n\S+\.ts: (\d+) of/)!
    expect(Number(resumed)).toBeGreaterThan(0.2 * count)
    const ages = Array.from({ length: count + 1 }, (_, i) => (i === 5 ? 500_000 : i)).filter(
      (age) => age !== 6,
    )
    expect(await text()).toEqual(ages.map((age) => ({ age })))
    expect(await command(folder, 'check', path)).toMatchObject({
      code: 0,
      text: 'All is as declared.\n',
    })
  })
})
