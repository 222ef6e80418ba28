import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import retextEnglish from 'retext-english'
import retextIndefiniteArticle from 'retext-indefinite-article'
import retextRepeatedWords from 'retext-repeated-words'
import retextStringify from 'retext-stringify'
import { unified } from 'unified'
import { phrases } from './phrases.ts'

const english = unified()
  .use(retextEnglish)
  .use(retextRepeatedWords)
  .use(retextIndefiniteArticle)
  .use(retextStringify)
  .freeze()

/** The files whose prose users and contributors read, from `root`. Generated pages have the prose of comments, and comparisons quote tests. */
export function proseFiles(root: string): string[] {
  const pages = globSync(['*.md', '.changeset/*.md', 'docs/**/*.md'], {
    cwd: root,
    exclude: (path) => /^docs\/api\/|api-report/.test(path),
  })
  return [...pages, ...globSync('src/**/*.{ts,tsx}', { cwd: root })].sort()
}

/** What reads badly in a file, as `src/store/store.ts:12: …`. */
export function faultsOfProse(root: string, file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const prose = proseOf(file, text)
  const unfit = phrases.flatMap(({ pattern, instead }) =>
    [...prose.matchAll(new RegExp(pattern, 'gi'))].map(
      (match) => `${file}:${lineAt(prose, match.index)}: "${match[0]}": write ${instead}`,
    ),
  )
  const { messages } = english.processSync(proseOf(file, text, comments))
  return [...unfit, ...messages.map(({ line, reason }) => `${file}:${line}: ${reason}`)]
}

const comments = /\/\*\*?[\s\S]*?\*\/|(?<=^|\s)\/\/ .*/g
const commentsAndSentences = new RegExp(
  `${comments.source}|'[^'\\n]*\\w \\w[^'\\n]* \\w[^'\\n]*'|\`[^\`]*\\w \\w[^\`]* \\w[^\`]*\``,
  'g',
)

/** A text of the same lines in which only prose stands: a page without its code, and what `kept` finds in a module. */
export function proseOf(file: string, text: string, kept = commentsAndSentences): string {
  const written = file.endsWith('.md') ? text : only(kept, text)
  return written
    .replace(/^[^\S\n]*(?:\* )?```[\s\S]*?^[^\S\n]*(?:\* )?```/gm, blank)
    .replace(/\| \[[^\]]*\]\((?:\.\.\/)+test\/[^)]*\)/g, blank)
    .replace(/<!--[\s\S]*?-->|\]\([^)]*\)|https?:\S+/g, blank)
    .replace(/\b(an?)\s+(?=[*"]*`)/gi, blank)
    .replace(/`[^`\n]*`/g, standIn)
    .replace(/^[^\S\n]*\*(?=\s|$)/gm, '')
}

function only(kept: RegExp, text: string): string {
  let prose = ''
  let end = 0
  for (const match of text.matchAll(kept)) {
    prose += blank(text.slice(end, match.index))
    const isQuoted = /^['`]/.test(match[0])
    prose += isQuoted
      ? ` ${match[0].slice(1, -1).replace(/\$\{[^}]*\}/g, standIn)}. `
      : match[0].replace(/^\/\*\*?|\*\/$|^\/\//g, '')
    end = match.index + match[0].length
  }
  return prose + blank(text.slice(end))
}

/** A word in the place of code, another one than that of the code before. */
function standIn(_: string, offset: number): string {
  return `code${offset}`
}

function blank(text: string): string {
  return text.replace(/[^\n]+/g, ' ')
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
