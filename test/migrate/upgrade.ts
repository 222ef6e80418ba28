import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { check, type Findings } from '../../src/migration/check.ts'
import type { Generated } from '../../src/migration/generate.ts'
import type { Project } from '../../src/migration/project.ts'
import type { AnyDefinition } from '../../src/schema/definition.types.ts'
import type { TestEngine } from '../engines.ts'
import { generateQuietly, migrateQuietly, projectFolder, projectFor } from './project.ts'

type Key = readonly (string | number)[]

export interface Upgrade {
  readonly folder: string
  readonly path: string
  readonly project: Project
  /** `null` where the second release changes nothing. */
  readonly generated: Generated | null
  /** The text of a file of the migration, by its ending. */
  text(ending: string): string
  migrate(): Promise<string[]>
  /** All values, by their keys as JSON. */
  values(): Promise<Record<string, unknown>>
  /** The collection that each key is filed under. */
  collections(): Promise<Record<string, string | null>>
  check(): Promise<Findings>
}

/** A database of one release with rows in it, written without a schema, and the migration to the next release. */
export function upgrade(
  before: readonly AnyDefinition[],
  rows: readonly (readonly [Key, unknown])[],
  after: readonly AnyDefinition[],
  ...renames: string[]
): Promise<Upgrade> {
  return upgradeAt('sqlite', (folder) => join(folder, 'data.db'), before, rows, after, ...renames)
}

/** As `upgrade`, on any engine. */
export function upgradeOn(engine: TestEngine): typeof upgrade {
  return (...of) => upgradeAt(engine.name, () => engine.newAddress(), ...of)
}

async function upgradeAt(
  engine: TestEngine['name'],
  addressIn: (folder: string) => string,
  before: readonly AnyDefinition[],
  rows: readonly (readonly [Key, unknown])[],
  after: readonly AnyDefinition[],
  ...renames: string[]
): Promise<Upgrade> {
  const folder = projectFolder()
  const path = addressIn(folder)
  const first = projectFor(engine, folder, ...before)
  await generateQuietly(first)
  await (await Valkeyrie.withSchemas(before).open(path, { migrations: first.migrations })).close()
  const db = await Valkeyrie.open(path)
  await Promise.all(rows.map(([key, value]) => db.set(key, value)))
  await db.close()
  const project = projectFor(engine, folder, ...after)
  const generated = await generateQuietly(project, ...renames)
  const read = async <T>(of: (db: Awaited<ReturnType<typeof Valkeyrie.open>>) => Promise<T>) => {
    const opened = await Valkeyrie.open(path)
    try {
      return await of(opened)
    } finally {
      await opened.close()
    }
  }
  return {
    folder,
    path,
    project,
    generated,
    text(ending) {
      const file = generated?.files.find((name) => name.endsWith(ending))
      return readFileSync(join(project.migrations, file!), 'utf8')
    },
    migrate: () => migrateQuietly(project, path),
    values: () =>
      read(async (opened) => {
        const entries = await Array.fromAsync(opened.list({ prefix: [] }))
        return Object.fromEntries(entries.map(({ key, value }) => [JSON.stringify(key), value]))
      }),
    collections: () =>
      read(async (opened) => {
        const { kv } = opened.tables
        const filed = await opened.drizzle.select({ name: kv.collection }).from(kv).orderBy(kv.key)
        const entries = await Array.fromAsync(opened.list({ prefix: [] }))
        return Object.fromEntries(entries.map(({ key }, at) => [JSON.stringify(key), filed[at]!.name]))
      }),
    check: () => check(project, path),
  }
}
