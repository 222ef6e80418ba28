/** The code of a page that runs as one program. Line n of its text is line n of the page. */
export interface Program {
  readonly page: string
  readonly text: string
}

/**
 * The programs of a page of Markdown: a block of TypeScript that imports `Valkeyrie` begins one, and the blocks after it
 * go on with it.
 */
export function programsOf(page: string, markdown: string): Program[] {
  const lines = markdown.split('\n')
  const programs: string[][] = []
  for (const { start, end } of codeBlocks(lines)) {
    const begins = lines.slice(start, end).some((line) => /^import .*\bValkeyrie\b/.test(line))
    if (begins || programs.length === 0) programs.push([])
    const program = programs.at(-1)!
    while (program.length < start) program.push('')
    program.push(...lines.slice(start, end))
  }
  return programs.map((program) => ({ page, text: `${program.join('\n')}\n` }))
}

function codeBlocks(lines: readonly string[]): { start: number; end: number }[] {
  const blocks: { start: number; end: number }[] = []
  let start = -1
  let fence: string | undefined
  lines.forEach((line, index) => {
    const [, marks, language = ''] = line.match(/^\s*(`{3,})(\w*)/) ?? []
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
    if (/^(const|let|return|import|[.})])/.test(expression)) {
      throw new SyntaxError(`${where}: "// =>" stands behind an expression on one line`)
    }
    const [, error] = promise.match(/^throws (\w+)/) ?? []
    const call = error === undefined ? 'expectResult' : 'expectThrown'
    return `await ${call}(async () => (${expression}), ${JSON.stringify(error ?? promise)}, '${where}')`
  })
  // The first line of a page is its title, so this moves no line of code.
  return `import { expectResult, expectThrown } from '${checksUrl}'${lines.join('\n')}`
}
