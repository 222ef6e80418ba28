import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { faultsOf } from '../docs/reference/completeness.ts'
import { withOperatorTable } from '../docs/reference/operator-table.ts'
import type { Page } from '../docs/reference/page.ts'
import { referencePages } from '../docs/reference/reference.ts'
import { apiReport } from '../docs/reference/report.ts'
import { anchorsOf } from './anchors.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = referencePages(root)

it('docs/api has the pages of the reference and no others', () => {
  expect(readdirSync(`${root}docs/api`).sort()).toEqual([...pages.keys()].sort())
})

it.each([...pages])(
  'docs/api/%s is what the doc comments make it: else run npm run docs:api',
  (name, text) => {
    expect(readFileSync(`${root}docs/api/${name}`, 'utf8')).toBe(text)
  },
)

it.each([...pages])('every link of docs/api/%s leads somewhere', (name, text) => {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  const links = [...prose.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)].filter(
    ([, file]) => !/^https:/.test(file!),
  )
  const broken = links.filter(([, file, anchor]) => {
    const target = file === '' ? name : file!
    const page = pages.get(target) ?? readFileSync(`${root}docs/api/${target}`, 'utf8')
    return anchor !== undefined && !anchorsOf(page).has(anchor)
  })
  expect(broken.map(([link]) => link)).toEqual([])
})

it('the public API is the one of docs/reference/api-report.md: else run npm run docs:api, and say what has changed: npx changeset', () => {
  expect(readFileSync(`${root}docs/reference/api-report.md`, 'utf8')).toBe(apiReport(root))
})

it('docs/queries.md lists every operator', () => {
  const page = readFileSync(`${root}docs/queries.md`, 'utf8')
  expect(withOperatorTable(page), 'run "npm run docs:api"').toBe(page)
})

it('requires every public name once, every comment, and an example of every method', () => {
  const method = {
    name: 'get',
    kind: 'method',
    signatures: ['get()'],
    comment: 'Reads.',
    owner: 'Store',
  } as const
  const option = { ...method, name: 'limit', kind: 'property', comment: '' } as const
  const declaration = { name: 'Store', comment: '', text: null, bases: [], members: [method, option] }
  const part = { type: 'declaration', declaration, members: declaration.members } as const
  const other = {
    type: 'declaration',
    declaration: { ...declaration, comment: 'A store.' },
    members: [],
  } as const
  const page: Page = { file: 'store.md', title: 'Store', parts: [part, other] }
  const exports = new Map([
    ['Store', ['valkeyrie']],
    ['Key', ['valkeyrie']],
  ])
  expect(faultsOf({ exports }, [page])).toEqual([
    'Key is on no page',
    'Store is documented twice',
    'Store has no comment',
    'Store.get has no example',
    'Store.limit has no comment',
  ])
})
