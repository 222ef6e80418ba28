import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { confirmed, terminalAsk, terminalReport } from '../../src/cli/terminal.ts'
import { command } from '../command/command.ts'
import { waitUntil } from '../waiting.ts'
import { cli, projectFolder, run } from './project.ts'

it('shows its commands and its version, and exits with 1 when used wrongly', async () => {
  const folder = projectFolder()
  const help = await run(folder, [cli, '--help'])
  expect(help).toMatchObject({
    code: 0,
    text: expect.stringMatching(/generate[\s\S]*migrate[\s\S]*check[\s\S]*init/),
  })
  expect(await run(folder, [cli, '--version'])).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  })
  for (const [args, message] of [
    [['frobnicate'], /unknown command/],
    [['generate', '--nme', 'x'], /Did you mean --name/],
    [['migrate', 'a', 'b'], /too many arguments/],
    [['generate', '--rename'], /argument missing/],
    [['check'], /run "valkeyrie init"/],
  ] as const) {
    expect(await command(folder, ...args)).toMatchObject({ code: 1, text: expect.stringMatching(message) })
  }
})

it('says which Node.js it needs, before it loads what an older one cannot', async () => {
  const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.17.0' } })`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, cli, '--help']
  expect(await run(projectFolder(), args)).toMatchObject({
    code: 1,
    text: 'valkeyrie needs Node.js 22.18 or newer, and this is 22.17.0\n',
  })
})

it('says how drizzle-kit finds a configuration that it does not look for', async () => {
  for (const [type, isTold] of [
    ['commonjs', true],
    ['module', false],
  ] as const) {
    const folder = projectFolder()
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type }))
    const { text } = await command(folder, 'init')
    expect(text.includes('--config drizzle.config.mts'), type).toBe(isTold)
  }
})

it('asks for the database before --baseline, and creates no missing one', async () => {
  const folder = projectFolder()
  await command(folder, 'init')
  await command(folder, 'generate')
  expect((await command(folder, 'migrate', '--baseline', 'data.db')).text).toMatch(
    /name the database before --baseline/,
  )
  expect((await command(folder, 'migrate', 'data.db', '--baseline')).text).toMatch(/There is no database/)
  expect((await command(folder, 'check', 'data.db')).text).toMatch(/There is no database/)
})

/** A terminal that a person types into, and what it shows. */
function terminal() {
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => input,
  }) as unknown as NodeJS.ReadStream
  const output = Object.assign(new PassThrough(), {
    isTTY: true,
    columns: 80,
  }) as unknown as NodeJS.WriteStream
  let shown = ''
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
  })
  return { input, output, shown: () => shown }
}

const down = '\u001b[B'

it.each([
  ['\r', 0],
  [`${down}\r`, 1],
  [`${down}${down}\r`, 2],
])('asks on a terminal, to be answered by a choice: %j is %i', async (typed, answer) => {
  const { input, output, shown } = terminal()
  const asked = terminalAsk(input, output)!('a.x is gone. What is its name now?', ['y', 'z', 'nothing'])
  await waitUntil('the question', () => shown().includes('a.x is gone. What is its name now?'))
  ;(input as unknown as PassThrough).write(typed)
  expect(await asked).toBe(answer)
})

it.each([
  ['y', true],
  ['n', false],
  ['\r', false],
])('asks for confirmation: %j is %s', async (typed, answer) => {
  const { input, output, shown } = terminal()
  const asked = confirmed('Delete it?', 'pass --yes', input, output)
  await waitUntil('the question', () => shown().includes('Delete it?'))
  ;(input as unknown as PassThrough).write(typed)
  expect(await asked).toBe(answer)
})

it('a question that is left by Ctrl+C ends the command in a sentence', async () => {
  const { input, output, shown } = terminal()
  const asked = terminalAsk(input, output)!('a.x is gone. What is its name now?', ['y', 'nothing'])
  await waitUntil('the question', () => shown().includes('What is its name now?'))
  ;(input as unknown as PassThrough).write('\u0003')
  await expect(asked).rejects.toMatchObject({
    code: 'MIGRATION',
    message: expect.stringMatching(/nothing was changed/),
  })
})

it('asks nothing without a terminal, and draws a bar on one', () => {
  const { input, output, shown } = terminal()
  expect(terminalAsk(Object.assign(new PassThrough(), { isTTY: false }) as never, output)).toBeUndefined()
  expect(terminalAsk(input, Object.assign(new PassThrough(), { isTTY: false }) as never)).toBeUndefined()
  const report = terminalReport(output)
  report.progress('backup', 0, 10)
  report.progress('backup', 10, 10)
  report.line('done')
  expect(shown()).toMatch(/░+ backup 0 of 10[\s\S]*done\n$/)
})
