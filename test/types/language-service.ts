import { dirname, join, resolve } from 'node:path'
import ts from 'typescript5'

const root = resolve(import.meta.dirname, '../..')
const file = join(import.meta.dirname, 'edited-program.ts')

/** What an editor knows of a program that is being written, by TypeScript's language service. */
export class Editor {
  /** By each line, where its mark is. */
  readonly #positions = new Map<string, number>()
  readonly #service: ts.LanguageService

  /**
   * `header`: the text before the lines that are being written. `lines`: all of them, each with a mark, `|`. A block to each: the
   * program is checked once for all.
   */
  constructor(header: string, lines: readonly string[]) {
    let written = header
    for (const line of lines) {
      written += '{\n'
      this.#positions.set(line, written.length + line.indexOf('|'))
      written += `${line.replace('|', '')}\n}\n`
    }
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
    this.#service = ts.createLanguageService({
      getScriptFileNames: () => [file],
      getScriptVersion: () => '0',
      getScriptSnapshot: (name) => {
        const text = name === file ? written : ts.sys.readFile(name)
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
      },
      getCurrentDirectory: () => dirname(file),
      getCompilationSettings: () => options,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: (name) => name === file || ts.sys.fileExists(name),
      readFile: ts.sys.readFile,
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    })
  }

  /** The names that are offered at the mark of a line; none if only globals are. */
  completions(line: string): string[] {
    const offered = this.#service.getCompletionsAtPosition(file, this.#positionOf(line), {})
    if (offered === undefined || offered.isGlobalCompletion) return []
    return offered.entries.map(({ name }) => name)
  }

  /** What is shown where the mouse rests on the mark of a line. */
  quickInfo(line: string): string {
    const info = this.#service.getQuickInfoAtPosition(file, this.#positionOf(line))
    return ts.displayPartsToString(info?.displayParts)
  }

  #positionOf(line: string): number {
    const position = this.#positions.get(line)
    if (position === undefined) throw new Error(`The program has no line ${line}`)
    return position
  }
}
