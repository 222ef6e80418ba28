import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import { inTurn } from './extent.ts'
import { serverOfRun } from './postgres/server-of-run.ts'

/** An engine that tests run on. */
export interface TestEngine {
  readonly name: 'sqlite' | 'postgres'
  /** Where a database is that is new and empty, at each call another one. Any process can open it. */
  newAddress(): string
}

const server = await serverOfRun()

/**
 * Describes what holds on every engine, once for each. Where PostgreSQL cannot start, its tests are passed over, and their name says why.
 */
export function describeEngines(name: string, body: (engine: TestEngine) => void): void {
  describeEngine('sqlite', name, body)
  describeEngine('postgres', name, body)
}

/** As `describeEngines`, on one engine in a run of `npm test`: they take turns. What begins `from` 0 is on one while what begins from 1 is on the other. */
export function describeEnginesInTurn(name: string, from: 0 | 1, body: (engine: TestEngine) => void): void {
  const able = 'url' in server ? (['sqlite', 'postgres'] as const) : (['sqlite'] as const)
  for (const engine of inTurn(`engines of ${name}`, able, able.length, from))
    describeEngine(engine, name, body)
}

/** Describes what holds on one engine. */
export function describeEngine(
  engine: TestEngine['name'],
  name: string,
  body: (engine: TestEngine) => void,
): void {
  if (engine === 'sqlite') describe(`${name} on sqlite`, () => body(sqliteFiles()))
  else if ('url' in server) describe(`${name} on postgres`, () => body(postgres(server.url)))
  else describe.skip(`${name} on postgres: ${server.obstacle}`, () => body(postgres('postgres://nowhere')))
}

/** Files in a folder that is removed when the tests of the file are over. */
function sqliteFiles(): TestEngine {
  let folder: string | undefined
  let files = 0
  afterAll(() => folder && rmSync(folder, { recursive: true }))
  return {
    name: 'sqlite',
    newAddress() {
      folder ??= mkdtempSync(join(tmpdir(), 'valkeyrie-test-'))
      return join(folder, `${files++}.db`)
    },
  }
}

/** A schema each in the database of the run, which ends with it. */
function postgres(url: string): TestEngine {
  return {
    name: 'postgres',
    newAddress: () => `${url}?schema=test_${randomBytes(8).toString('hex')}`,
  }
}
