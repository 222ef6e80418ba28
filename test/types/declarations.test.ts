import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { temporaryFolder } from '../temporary-folder.ts'

const root = resolve(import.meta.dirname, '../..')
const temporary = temporaryFolder()

/** Folders as an installer lays them that hoists nothing: a program sees what it depends on itself, and nothing else. */
function layProject(folder: string, skipLibCheck: boolean): void {
  const modules = join(folder, 'node_modules')
  const installed = join(modules, 'valkeyrie')
  mkdirSync(join(installed, 'node_modules'), { recursive: true })
  cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(installed, 'package.json'))
  const link = (name: string, to: string) => {
    mkdirSync(dirname(join(to, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(to, name))
  }
  for (const name of ['zod', '@types/node']) link(name, modules)
  for (const name of Object.keys(manifest.dependencies)) link(name, join(installed, 'node_modules'))
  cpSync(join(import.meta.dirname, 'consumer-project'), join(folder, 'src'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const compilerOptions = {
    composite: true,
    strict: true,
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable', 'dom', 'dom.asynciterable'],
    module: 'nodenext',
    rewriteRelativeImportExtensions: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'out',
    skipLibCheck,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }))
}

/** What a compiler says against a project, but for what it has against the declarations of drizzle-orm's other engines. */
async function complaints(folder: string, compiler: string): Promise<string[]> {
  const tsc = join(root, 'node_modules', compiler, 'bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: { readonly stdout?: string }) => ({ stdout: error.stdout ?? String(error) }))
  return stdout.split('\n').filter((line) => /\berror\b/.test(line) && !/^\S*\/drizzle-orm\//.test(line))
}

it.for([
  ['typescript5', true],
  ['typescript5', false],
  ['typescript', true],
  ['typescript', false],
] as const)(
  'a composite project that exports everything compiles with %s, skipLibCheck %s',
  async ([compiler, skipLibCheck]) => {
    const folder = temporary(`${compiler}-${skipLibCheck}`)
    layProject(folder, skipLibCheck)
    expect(await complaints(folder, compiler)).toEqual([])
    const declared = readFileSync(join(folder, 'out/schemas.d.ts'), 'utf8')
    expect(declared).toContain('kv: import("valkeyrie/schema").KvTable')
  },
)
