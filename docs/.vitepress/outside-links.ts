import { posix } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'

type Token = ReturnType<MarkdownRenderer['parseInline']>[number]

/**
 * The address in the site of a link from a page (its path from docs/) to a file of the repository outside docs/. An example has a page;
 * null: there is none. Undefined for every other link.
 */
export function siteLink(page: string, href: string): string | null | undefined {
  if (/^([a-z]+:|#|\/)/.test(href)) return undefined
  const path = posix.join('docs', posix.dirname(page), href)
  if (path.startsWith('docs/')) return undefined
  if (/^README\.md\b/.test(path)) return '/'
  const [, example] = /^examples\/([\w-]+)\.ts$/.exec(path) ?? []
  return example === undefined ? null : `/examples/${example}`
}

/** Has links that lead out of docs/ lead to a page of the site, or makes them plain text. */
export function outsideLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('outside-links', ({ tokens, env }) => {
    for (const { children } of tokens) if (children !== null) relink(children, env.relativePath as string)
  })
}

function relink(tokens: Token[], page: string): void {
  let dropped = false
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const link = siteLink(page, token.attrGet('href') ?? '')
      dropped = link === null
      if (link) token.attrSet('href', link)
    }
    if (dropped && token.type.startsWith('link_')) {
      if (token.type === 'link_close') dropped = false
      Object.assign(token, { type: 'text', tag: '', nesting: 0, content: '' })
    }
  }
}
