import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { siteLink } from '../docs/.vitepress/outside-links.ts'
import { sidebar } from '../docs/.vitepress/sidebar.ts'

const docs = fileURLToPath(new URL('../docs', import.meta.url))

it('lists every page of docs once', () => {
  const exclude = ['reference/**', 'examples/**', 'index.md', 'README.md']
  const pages = globSync('**/*.md', { cwd: docs, exclude }).map((path) => `/${path.slice(0, -'.md'.length)}`)
  const listed = sidebar().flatMap(({ items }) => items.map(({ link }) => link))
  expect(listed.toSorted()).toEqual(pages.map((page) => page.replace(/README$/, '')).toSorted())
})

it.each([
  ['an example', 'guide/sessions.md', '../../examples/sessions.ts', '/examples/sessions'],
  ['the README', 'queries.md', '../README.md#queries', '/'],
  ['a source file', 'queries.md', '../src/query/evaluate.ts', null],
  ['another page', 'guide/sessions.md', '../queries.md', undefined],
  ['an anchor', 'queries.md', '#writes', undefined],
  ['another site', 'queries.md', 'https://example.com/', undefined],
])('leads from a page to %s', (_, page, href, link) => {
  expect(siteLink(page, href)).toBe(link)
})
