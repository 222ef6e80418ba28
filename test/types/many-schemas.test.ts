import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const SCHEMAS = 50
/** Recorded: 425,000, of which 195,000 are Zod's own; the rest is headroom of a quarter. */
const MOST_INSTANTIATIONS = 530_000

it(`${SCHEMAS} schemas and four look-ups of each are cheap to check`, async () => {
  const output = await check(program(SCHEMAS))
  const instantiations = Number(/Instantiations:\s*(\d+)/.exec(output)?.[1])
  expect(instantiations, output).toBeGreaterThan(0)
  expect(instantiations, output).toBeLessThan(MOST_INSTANTIATIONS)
})

it('a list of 100 definitions is checked to its end', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `d${i}`)
  const declared = names.map(
    (name) => `const ${name} = defineSchema(['${name}', '*'], z.object({ n: z.number() }))`,
  )
  const program = [
    `import { defineSchema } from '${root}/src/schema/definition.ts'`,
    `import type { DefinitionByName, Definitions, NewDefinitions, OutputOf } from '${root}/src/schema/registry.types.ts'`,
    "import { z } from 'zod'",
    'declare function added<const New extends Definitions>(definitions: New & NewDefinitions<readonly [], New>): New',
    ...declared,
    `const all = added([${names}])`,
    "export const last: number = ({} as OutputOf<DefinitionByName<typeof all, 'd99'>>).n",
    "const taken = defineSchema(['taken', '*'], z.object({}), { name: 'd1' })",
    `// @ts-expect-error: two schemas are named 'd1'`,
    `added([${names}, taken])`,
  ]
  await check(program.join('\n'))
})

/** A program that declares schemas in a chain, as `withSchema` does, and reads and writes a value of each. */
function program(schemas: number): string {
  const lines = [
    `import { defineSchema } from '${root}/src/schema/definition.ts'`,
    `import type { Key } from '${root}/src/contract/key.types.ts'`,
    `import type { AnyDefinition } from '${root}/src/schema/definition.types.ts'`,
    `import type { DefinitionByName, Definitions, InputOf, NewDefinition, OutputOf, SelectedValue, ValueOf } from '${root}/src/schema/registry.types.ts'`,
    "import { z } from 'zod'",
    'declare class Builder<R extends Definitions> {',
    '  with<D extends AnyDefinition>(definition: D): NewDefinition<R, D> extends AnyDefinition ? Builder<readonly [...R, D]> : NewDefinition<R, D>',
    '  get<const K extends Key>(key: K): ValueOf<R, K>',
    '  set<const K extends Key>(key: K, value: InputOf<R, K>): void',
    '  list<const P extends Key>(prefix: P): SelectedValue<R, { prefix: P }>',
    '  first<Name extends string>(name: Name): OutputOf<DefinitionByName<R, Name>>',
    '}',
    'declare const id: string',
  ]
  const each = (line: (i: number) => string) => {
    for (let i = 0; i < schemas; i++) lines.push(line(i))
  }
  each(
    (i) =>
      `const d${i} = defineSchema(['tenants', '*', 'kind${i}', '*'], z.object({ name: z.string(), n${i}: z.number().optional(), at: z.date().default(new Date()) }), { name: 'r${i}', indexes: [{ on: ['name', 'n${i}'] }] })`,
  )
  lines.push('const db = new Builder<readonly []>()')
  each((i) => `  .with(d${i})`)
  each((i) => `const a${i}: number | undefined = db.get(['tenants', id, 'kind${i}', 'x${i}']).n${i}`)
  each((i) => `db.set(['tenants', 'x${i}', 'kind${i}', id], { name: 'x', n${i}: a${i} })`)
  each((i) => `export const b${i}: string = db.list(['tenants', id, 'kind${i}']).name`)
  each((i) => `export const c${i}: Date = db.first('r${i}').at`)
  return lines.join('\n')
}

/** The report of the compiler on a program in a project of its own; rejects where the program has an error. */
async function check(text: string): Promise<string> {
  const cache = join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  const project = await mkdtemp(join(cache, 'many-schemas-'))
  try {
    const config = { extends: join(root, 'tsconfig.json'), files: ['program.ts'], include: [] }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config))
    await writeFile(join(project, 'program.ts'), text)
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const args = [tsc, '-p', project, '--extendedDiagnostics', '--singleThreaded']
    const { stdout } = await promisify(execFile)(process.execPath, args)
    return stdout
  } catch (error) {
    throw new Error((error as { stdout?: string }).stdout ?? String(error))
  } finally {
    await rm(project, { recursive: true, force: true })
  }
}
