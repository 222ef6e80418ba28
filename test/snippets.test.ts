import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkedText, fragmentsOf, programsOf } from './snippets/program.ts'
import { waitFor } from './waiting.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const runner = join(root, 'test/snippets/run.ts')
const checksUrl = pathToFileURL(join(root, 'test/snippets/checks.ts')).href

// Inside the repository, where `valkeyrie` resolves to the built package, and where git and Biome ignore it.
const folder = join(root, 'data/snippets')

const programs = [
  'README.md',
  ...globSync('docs/**/*.md', { cwd: root, exclude: ['docs/reference', 'docs/examples'] }).sort(),
].flatMap((page) => {
  const isReference = page.startsWith('docs/api/')
  const markdown = readFileSync(join(root, page), 'utf8')
  return (isReference ? fragmentsOf : programsOf)(page, markdown).map((program) => {
    const name = `${page.replace(/\W+/g, '-')}-${program.line}`
    // The many fragments of a page of the reference share a process, and so the time in which one starts.
    return { ...program, name, run: isReference ? page : `${page} from line ${program.line}` }
  })
})
const runs = Map.groupBy(programs, ({ run }) => run)

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'checked'), { recursive: true })
  for (const program of programs) {
    writeFileSync(join(folder, `${program.name}.ts`), program.text)
    writeFileSync(join(folder, 'checked', `${program.name}.ts`), checkedText(program, checksUrl))
  }
  const options = { extends: '../../tsconfig.json', compilerOptions: { paths: {} }, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('type-checks, each line under its number in the page', async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const errors = await run(process.execPath, [tsc, '--project', folder]).then(
    () => '',
    ({ stdout, stderr }) => stdout + stderr,
  )
  expect(errors).toBe('')
})

it.each([...runs.keys()])('runs with the promised results: %s', async (name) => {
  const cwd = mkdtempSync(join(tmpdir(), 'valkeyrie-snippet-'))
  const files = runs.get(name)!.map((program) => join(folder, 'checked', `${program.name}.ts`))
  try {
    await waitFor(`the end of ${name}`, run(process.execPath, [runner, ...files], { cwd }))
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
})
