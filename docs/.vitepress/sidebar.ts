import { readFileSync } from 'node:fs'

export interface SidebarGroup {
  readonly text: string
  readonly collapsed: boolean
  readonly items: { readonly text: string; readonly link: string }[]
}

/** The sections of a page that lists others: headings, and the links that begin its list items. */
function sectionsOf(page: string): SidebarGroup[] {
  const [, ...sections] = page.split(/^## /m)
  return sections.map((section) => {
    const items = [...section.matchAll(/^- \[([^\]]+)\]\(([^)]+)\.md\)/gm)]
    return {
      text: section.slice(0, section.indexOf('\n')),
      collapsed: false,
      items: items.map(([, text, path]) => ({ text: text!, link: `/${path!.replace(/README$/, '')}` })),
    }
  })
}

/** The pages of the reference, as its first page lists them. */
function referenceItems(page: string): SidebarGroup['items'] {
  const links = [...page.matchAll(/^- \*\*\[([^\]]+)\]\(([\w-]+)\.md\)/gm)]
  return links.map(([, text, path]) => ({ text: text!, link: `/api/${path}` }))
}

/** The sidebar of the site: what docs/README.md lists. */
export function sidebar(): SidebarGroup[] {
  const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
  const reference = { text: 'API', collapsed: true, items: referenceItems(read('api/README.md')) }
  return [...sectionsOf(read('README.md')), reference]
}
