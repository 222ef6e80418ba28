import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { loadCities } from '../../bench/values/cities.ts'
import { cities } from '../../schemas/cities.ts'
import { loadProject } from '../../src/migration/project.ts'
import { command } from '../command/command.ts'
import { extent } from '../extent.ts'
import { generateQuietly, projectFolder, projectOf, write } from '../migrate/project.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const path = temporaryFolder()

it('every command works on many cities while another process writes to the file', async () => {
  const count = extent('cities', 4_000, 135_233)
  const all = loadCities()
  const each = Math.floor(all.length / count)
  const some = all.filter((_, n) => n % each === 0).slice(0, count)
  const file = path('cities.db')
  {
    await using db = await Valkeyrie.withSchemas([cities]).open(file)
    const items = some.map((city) => [[city.country, city.cityId] as const, city] as const)
    const { count: stored } = await db.repositories.cities.insertMany(items as never)
    expect(stored).toBe(count)
  }
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'program.ts'), file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void writer.kill('SIGKILL'))
  await once(writer.stdout, 'data')
  /** What a command prints as JSON. */
  const told = async (code: number, ...args: readonly string[]) => {
    const ended = await command(path('.'), ...args, '--json')
    expect([args[0], ended.code, ended.text]).toEqual([args[0], code, ended.text])
    // A slow machine warns of a log that the writer keeps long.
    return JSON.parse(ended.output)
  }

  const { repositories } = await told(0, 'stats', file)
  expect(repositories).toContainEqual({ repository: 'cities', rows: count, bytes: expect.any(Number) })
  expect(await told(0, 'doctor', file, '--repair')).toMatchObject({ sound: true })

  const [backup, copy, restored] = [path('backup.db'), path('copy.db'), path('restored.db')]
  for (const made of [
    await told(0, 'backup', file, backup),
    await told(0, 'copy', file, copy),
    await told(0, 'restore', backup, restored),
  ]) {
    expect(made.rows).toBeGreaterThan(count)
    expect(made.bytes).toBe(statSync(made.path).size)
  }
  expect(await told(1, 'restore', backup, file, '--wait', '0')).toMatchObject({
    error: { code: 'DATABASE_BUSY' },
  })

  const [rows, large] = [path('cities.ndjson'), path('large.csv')]
  const of = ['--repository', 'cities', '--output']
  expect(await told(0, 'export', file, ...of, rows)).toMatchObject({ rows: count })
  const where = ['--where', '{"population":{"gte":100000}}']
  const largeCities = some.filter(({ population }) => population >= 100_000).length
  expect(largeCities).toBeGreaterThan(100)
  expect(await told(0, 'export', file, ...of, large, '--format', 'ndjson', ...where)).toMatchObject({
    rows: largeCities,
  })
  // Existing rows, and new ones.
  expect(await told(0, 'import', file, large, '--from', 'ndjson')).toMatchObject({ imported: 0, refused: 0 })
  expect(await told(0, 'import', file, rows)).toMatchObject({ imported: 0, unchanged: count })
  const anew = path('anew.db')
  await (await Valkeyrie.withSchemas([cities]).open(anew)).close()
  expect(await told(0, 'import', anew, rows)).toMatchObject({ imported: count, refused: 0 })
  await using db = await Valkeyrie.inspect(anew)
  expect(await db.repository(['countries', '*', 'cities', '*']).count()).toBe(count)

  // A project takes the file over, and its second migration gives every city a field.
  const folder = projectFolder()
  const settings = { dialect: 'sqlite', schema: './declared.ts', out: './migrations' }
  write(folder, 'drizzle.config.ts', `export default ${JSON.stringify(settings)}`)
  write(
    folder,
    'declared.ts',
    `import { defineSchema, kvTables } from 'valkeyrie/schema'
    import { z } from 'zod'
    import { cities as before } from ${JSON.stringify(import.meta.resolve('../../schemas/cities.ts'))}
    const schema = before.schema.extend({ isVisited: z.boolean().default(false) })
    const indexes = before.indexes.map(({ fields }) => ({ on: fields }))
    export const cities = defineSchema(before.pattern, schema, { name: 'cities', indexes })
    export const { kv, kvLog, kvCollections } = kvTables([cities])`,
  )
  write(folder, 'seed.ts', "export default (db) => db.set(['seeded'], true)")
  await generateQuietly(projectOf(folder, cities))
  await generateQuietly(await loadProject(folder))
  const inProject = (code: number, ...args: readonly string[]) =>
    told(code, ...args, file, '--config', join(folder, 'drizzle.config.ts'))
  expect(await inProject(0, 'migrate', '--baseline', '0000_initial')).toMatchObject({
    applied: ['0001_cities'],
    skipped: 0,
  })
  expect(await inProject(0, 'status')).toEqual({
    applied: ['0000_initial', '0001_cities'],
    pending: [],
    drift: [],
  })
  expect(await inProject(0, 'seed', '--file', join(folder, 'seed.ts'))).toMatchObject({ path: file })
  await using migrated = await Valkeyrie.inspect(file)
  expect((await migrated.get(['seeded'])).value).toBe(true)
  const written = migrated.repository(['countries', '*', 'cities', '*'])
  expect(await written.count({ where: { isVisited: false } } as never)).toBe(count)

  // It has written all the time.
  expect(writer.exitCode).toBeNull()
  writer.stdin.end()
  expect(await once(writer, 'close')).toEqual([0, null])
})
