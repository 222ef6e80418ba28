import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seedOfThisRun } from './concurrency/random.ts'
import { extent } from './extent.ts'
import { serverOfRun } from './postgres/server-of-run.ts'
import { checkedText, fragmentsOf, programsOf } from './snippets/program.ts'
import { ofFilesAlone, serverText } from './snippets/server-text.ts'
import { waitFor } from './waiting.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const runner = join(root, 'test/snippets/run.ts')
const onServerUrl = pathToFileURL(join(root, 'test/snippets/on-server.ts')).href
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
    return { ...program, name: `${page.replace(/\W+/g, '-')}-${program.line}` }
  })
})

/** How many pages share a process, and so the time in which one starts. */
const pagesOfRun = 16
const pages = [...new Set(programs.map(({ page }) => page))]
const runs = Map.groupBy(programs, ({ page, text }) => {
  // A process has one tracer, which is that of the first program.
  if (/setGlobalTracerProvider/.test(text)) return page
  const of = pages.indexOf(page)
  const [first, ...others] = pages.slice(of - (of % pagesOfRun)).slice(0, pagesOfRun)
  return [first, ...others.slice(-1)].join(' to ')
})

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'checked'), { recursive: true })
  mkdirSync(join(folder, 'on-server'), { recursive: true })
  for (const program of programs) {
    writeFileSync(join(folder, `${program.name}.ts`), program.text)
    writeFileSync(join(folder, 'checked', `${program.name}.ts`), checkedText(program, checksUrl))
    const text = serverText(program.text, `${onServerUrl}?${program.name}`)
    writeFileSync(
      join(folder, 'on-server', `${program.name}.ts`),
      checkedText({ ...program, text }, checksUrl),
    )
  }
  const options = { extends: '../../tsconfig.json', compilerOptions: { paths: {} }, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('type-checks, each line under its number in the page', async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  // Threads check again what they share, while the other tests need the cores.
  const errors = await run(process.execPath, [tsc, '--singleThreaded', '--project', folder]).then(
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

const server = await serverOfRun()

describe.skipIf('obstacle' in server)('on PostgreSQL', () => {
  const able = programs.filter(({ text }) => ofFilesAlone(text) === null)
  const count = extent('programs of pages on PostgreSQL', 20, able.length)
  const first = seedOfThisRun() % able.length
  const chosen = [...able, ...able].slice(first, first + count)

  it('programs of the pages run with the promised results', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'valkeyrie-snippet-'))
    const files = chosen.map(({ name }) => join(folder, 'on-server', `${name}.ts`))
    const env = { ...process.env, DATABASE: 'url' in server ? server.url : '' }
    try {
      await waitFor('the end of the programs', run(process.execPath, [runner, ...files], { cwd, env }))
    } finally {
      rmSync(cwd, { recursive: true, force: true })
    }
  })
})
