/** Code of a page that runs as one program. Line n of its text is line n of the page. */
export interface Program {
  readonly page: string
  /** Where what is its own begins. */
  readonly line: number
  readonly text: string
}

/** Lines of a page, from `start` to before `end`, counted from 0. */
interface Block {
  readonly start: number
  readonly end: number
}

/**
 * The programs of a page of Markdown: a block of TypeScript that imports `Valkeyrie` begins one, and the blocks after it
 * go on with it.
 */
export function programsOf(page: string, markdown: string): Program[] {
  const lines = markdown.split('\n')
  const programs: Block[][] = []
  for (const block of codeBlocks(lines)) {
    const begins = lines.slice(block.start, block.end).some((line) => /^import .*\bValkeyrie\b/.test(line))
    if (begins || programs.length === 0) programs.push([])
    programs.at(-1)!.push(block)
  }
  return programs.map((blocks) => toProgram(page, lines, blocks, blocks[0]!))
}

/** The programs of a page: each has the first block of TypeScript, and one other block after it. */
export function fragmentsOf(page: string, markdown: string): Program[] {
  const lines = markdown.split('\n')
  const [setting, ...fragments] = codeBlocks(lines)
  return fragments.map((fragment) => toProgram(page, lines, [setting!, fragment], fragment))
}

function toProgram(
  page: string,
  lines: readonly string[],
  blocks: readonly Block[],
  { start: own }: Block,
): Program {
  const text = lines.map((line, n) => (blocks.some(({ start, end }) => start <= n && n < end) ? line : ''))
  return { page, line: own + 1, text: `${text.join('\n')}\n` }
}

/** The blocks of code that is run. The language of one that only shows a declaration has a second word. */
function codeBlocks(lines: readonly string[]): Block[] {
  const blocks: Block[] = []
  let start = -1
  let fence: string | undefined
  lines.forEach((line, index) => {
    const [, marks, language = ''] = line.match(/^\s*(`{3,})\s*(.*?)\s*$/) ?? []
    if (marks === undefined) return
    if (fence === undefined) {
      fence = marks
      start = /^(ts|typescript)$/.test(language) ? index + 1 : -1
    } else if (marks.length >= fence.length && language === '') {
      fence = undefined
      if (start >= 0) blocks.push({ start, end: index })
    }
  })
  return blocks
}

/**
 * The program with each result that a comment promises compared with the real one:
 * `users.key('alice') // => ['users', 'alice']`, or `// => throws KeyExistsError`.
 */
export function checkedText({ page, text }: Program, checksUrl: string): string {
  const lines = text.split('\n').map((line, index) => {
    const [, expression, promise] = line.match(/^\s*(.*\S)\s+\/\/ => (.*)$/) ?? []
    if (expression === undefined || promise === undefined) return line
    const where = `${page}:${index + 1}`
    if (/^(?:(?:const|let|return|import)\b|[.})])/.test(expression)) {
      throw new SyntaxError(`${where}: "// =>" stands behind an expression on one line`)
    }
    const [, error] = promise.match(/^throws (\w+)/) ?? []
    const call = error === undefined ? 'expectResult' : 'expectThrown'
    return `await ${call}(async () => (${expression}), ${JSON.stringify(error ?? promise)}, '${where}')`
  })
  // The first line of a page is its title, so this moves no line of code.
  return `import { expectResult, expectThrown } from '${checksUrl}'${lines.join('\n')}`
}
