import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { diagramSvg } from '../docs/.vitepress/diagrams.ts'
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

it('draws every diagram with all its arrows, and without the network', () => {
  const pages = globSync('**/*.md', { cwd: docs }).map((path) => readFileSync(`${docs}/${path}`, 'utf8'))
  const diagrams = pages.flatMap((page) =>
    [...page.matchAll(/^```mermaid\n([\s\S]*?)^```/gm)].map(([, text]) => text!),
  )
  expect(diagrams.length).toBeGreaterThan(0)
  for (const text of diagrams) {
    const svg = diagramSvg(text)
    const arrows = [...svg.matchAll(/class="edge"/g)].length
    expect([arrows, svg.match(/@import|https?:(?!\/\/www\.w3\.org)/)]).toEqual([
      text.match(/-->|-\.->/g)!.length,
      null,
    ])
  }
})
