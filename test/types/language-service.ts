import { dirname, join, resolve } from 'node:path'
import ts from 'typescript5'

const root = resolve(import.meta.dirname, '../..')
const file = join(import.meta.dirname, 'edited-program.ts')

/** What an editor knows of a program that is being written, by TypeScript's language service. */
export class Editor {
  readonly #header: string
  #text = ''
  #version = 0
  readonly #service: ts.LanguageService

  /** `header`: the text before the lines that are being written. */
  constructor(header: string) {
    this.#header = header
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
    this.#service = ts.createLanguageService({
      getScriptFileNames: () => [file],
      getScriptVersion: (name) => (name === file ? String(this.#version) : '0'),
      getScriptSnapshot: (name) => {
        const text = name === file ? this.#text : ts.sys.readFile(name)
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

  /** For each line, the names that are offered at its `|`; none if only globals are. */
  completions(lines: readonly string[]): string[][] {
    return this.#write(lines).map((position) => {
      const offered = this.#service.getCompletionsAtPosition(file, position, {})
      if (offered === undefined || offered.isGlobalCompletion) return []
      return offered.entries.map(({ name }) => name)
    })
  }

  /** For each line, what is shown where the mouse rests on its mark. */
  quickInfo(lines: readonly string[]): string[] {
    return this.#write(lines).map((position) =>
      ts.displayPartsToString(this.#service.getQuickInfoAtPosition(file, position)?.displayParts),
    )
  }

  /** Gives the positions of the marks. A block to each line: the program is checked once for all of them. */
  #write(lines: readonly string[]): number[] {
    let text = this.#header
    const positions = lines.map((line) => {
      text += '{\n'
      const position = text.length + line.indexOf('|')
      text += `${line.replace('|', '')}\n}\n`
      return position
    })
    this.#text = text
    this.#version++
    return positions
  }
}
