import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const page = fileURLToPath(new URL('../docs/comparison.md', import.meta.url))
const claims = [
  ...readFileSync(page, 'utf8').matchAll(/^\| (.+?) \| \[([^\]]+)\]\(\.\.\/test\/([^)]+)\) \|$/gm),
]

it('every promise of the comparison has a line that this test reads', () => {
  const rows = readFileSync(page, 'utf8').match(/^\| (?!promise|---)/gm) ?? []
  expect(claims.length).toBeGreaterThan(15)
  expect(rows).toHaveLength(claims.length)
})

it.each(claims.map(([, promise, title, file]) => ({ promise, title, file })))(
  '$promise: its test is there',
  ({ title, file }) => {
    const text = readFileSync(fileURLToPath(new URL(file!, import.meta.url)), 'utf8')
    const names = [...text.matchAll(/^\s*(?:(?:it|test)(?:\.\w+)?\(\s*|name: )?(['"`])(.+?)\1\s*[:,]/gm)].map(
      ([, , name]) => name,
    )
    expect(names.some((name) => name!.includes(title!))).toBe(true)
  },
)
