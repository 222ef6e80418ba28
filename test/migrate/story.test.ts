import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { command } from '../command/command.ts'
import { drizzleKit, type Ended, projectFolder, root, run, write } from './project.ts'

const page = readFileSync(join(root, 'docs/migrations.md'), 'utf8')

/** The blocks of the page in order: files, named by their first line, and commands with their output. */
const blocks = [...page.matchAll(/^```(mts|sh)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text: text!,
}))

const programs: Record<string, (folder: string, args: readonly string[]) => Promise<Ended>> = {
  'npx valkeyrie': (folder, args) => command(folder, ...args),
  'npx drizzle-kit': (folder, args) => run(folder, [drizzleKit, ...args]),
  node: run,
}

it('the story of docs/migrations.md is true', async () => {
  const folder = projectFolder()
  write(folder, 'package.json', '{ "type": "module" }')
  const commands = blocks.filter(({ language }) => language === 'sh').length
  expect(commands).toBeGreaterThan(5)
  for (const { language, text } of blocks) {
    if (language === 'mts') {
      const [, file] = text.match(/^\/\/ (\S+)\n/)!
      write(folder, file!, text)
      continue
    }
    for (const block of text.split(/^\$ /m).slice(1)) {
      const [line, ...promised] = block.trimEnd().split('\n')
      const program = Object.keys(programs).find((name) => line!.startsWith(`${name} `))!
      const result = await programs[program]!(folder, line!.slice(program.length + 1).split(' '))
      expect(sorted(result.text), line).toMatch(patternOf(promised.join('\n')))
    }
  }
})

/** What goes to stderr comes first on the page, as on a terminal. */
function sorted(text: string): string {
  const lines = text.trimEnd().split('\n')
  const result = lines.filter((line) => /^(Applied |Nothing to apply)/.test(line))
  return [...lines.filter((line) => !result.includes(line)), ...result].join('\n')
}

function patternOf(promise: string): RegExp {
  const escaped = promise.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[\\s\\S]*')
  return new RegExp(`^${escaped}$`)
}
