import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { faultsOfProse, proseFiles, proseOf } from '../docs/reference/prose.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

it('docs, comments and messages read well: docs/reference/phrases.ts says what does not', () => {
  const files = proseFiles(root)
  expect(files).toContain('README.md')
  expect(files).toContain('src/contract/errors.ts')
  expect(files.flatMap((file) => faultsOfProse(root, file))).toEqual([])
})

it('reads the prose of a page and of a module, and not their code', () => {
  expect(proseOf('a.md', 'A `key`.\n```ts\nanew()\n```\nThe end.').split('\n')).toEqual([
    ' code1.',
    ' ',
    ' ',
    ' ',
    'The end.',
  ])
  const module = `/** Throws where. */\nconst anew = 'no'\nthrow new TypeError(\`The key \${key} is not one\`)\n`
  expect(proseOf('a.ts', module).replace(/ +/g, ' ')).toBe(
    ' Throws where. \n \n The key code8 is not one. \n',
  )
})
