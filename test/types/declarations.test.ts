import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript5'
import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { inTurn } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const root = resolve(import.meta.dirname, '../..')
const temporary = temporaryFolder()
const compilers = inTurn('compilers', ['TypeScript 5', 'the present TypeScript'], 2)

/** Folders as an installer lays them that hoists nothing: a program sees what it depends on itself, and nothing else. */
function layProject(folder: string): void {
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
    // Declarations are checked as well: what holds so, holds with skipLibCheck.
    skipLibCheck: false,
    skipDefaultLibCheck: true,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }))
}

it.runIf(compilers.includes('TypeScript 5'))(
  'a composite project that exports everything compiles with TypeScript 5, its declarations and ours',
  () => {
    const folder = temporary('typescript5')
    layProject(folder)
    const config = ts.getParsedCommandLineOfConfigFile(join(folder, 'tsconfig.json'), undefined, {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => expect.fail(textOf([diagnostic])),
    })!
    const program = ts.createProgram(config.fileNames, config.options)
    // Only these: drizzle-orm's declarations of other engines have mistakes, and take most of the time of a whole check.
    const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(`${folder}/`))
    expect(files.map(({ fileName }) => basename(fileName))).toContain('index.d.ts')
    const found = [
      ...config.errors,
      ...program.getOptionsDiagnostics(),
      ...program.getGlobalDiagnostics(),
      ...files.flatMap((file) => [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ]),
      ...files.flatMap((file) => program.emit(file).diagnostics),
    ]
    expect(textOf(found)).toBe('')
    expectDeclared(folder)
  },
)

const textOf = (diagnostics: readonly ts.Diagnostic[]) =>
  ts.formatDiagnostics(diagnostics, {
    getCurrentDirectory: () => root,
    getCanonicalFileName: (name) => name,
    getNewLine: () => '\n',
  })

it.runIf(compilers.includes('the present TypeScript'))(
  'a composite project that exports everything compiles with the present TypeScript, and all declarations',
  async () => {
    const folder = temporary('typescript')
    layProject(folder)
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [tsc, '--singleThreaded', '-p', folder, '--pretty', 'false'],
      {
        maxBuffer: 64 * 1024 * 1024,
      },
    ).catch((error: { readonly stdout?: string }) => ({ stdout: error.stdout ?? String(error) }))
    const complaints = stdout
      .split('\n')
      .filter((line) => /\berror\b/.test(line) && !/^\S*\/drizzle-orm\//.test(line))
    expect(complaints).toEqual([])
    expectDeclared(folder)
  },
)

function expectDeclared(folder: string): void {
  const declared = readFileSync(join(folder, 'out/schemas.d.ts'), 'utf8')
  expect(declared).toContain('kv: import("valkeyrie/schema").KvTable')
}
