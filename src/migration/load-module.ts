import { pathToFileURL } from 'node:url'
import { MigrationError } from '../contract/errors.ts'
import { otherThanFile } from '../driver/file-kind.ts'

/** The URL of this module, unknown in a CommonJS bundle. */
const { url } = import.meta as { readonly url?: string }
/** The folder of this library: if it is linked into a project, it may be outside of every node_modules. */
const ownFolder = url === undefined ? null : new URL('..', url).href

/** The exports of a module of the user's project. Throws a MigrationError that says where it fails. */
export async function loadModule(file: string): Promise<Record<string, unknown>> {
  // Node.js would wait for the writer of a FIFO.
  const kind = otherThanFile(file)
  if (kind !== undefined) throw new MigrationError(`${file} is ${kind}: name a file`)
  try {
    return await import(pathToFileURL(file).href)
  } catch (error) {
    throw new MigrationError(`${file} cannot be loaded: ${failureText(error)}`, { cause: error })
  }
}

/** What is wrong, and where in the user's own files. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { readonly code?: unknown }
  if (code === 'ERR_MODULE_NOT_FOUND' && error.message.includes("'drizzle-kit'"))
    return `it imports drizzle-kit, which is not installed: npm install --save-dev drizzle-kit`
  if (error instanceof SyntaxError && /^(Unexpected token 'export'|Cannot use import)/.test(error.message))
    return 'its package uses CommonJS: write "type": "module" into package.json, or rename the file to .mts'
  // The line in the user's own files from which the error comes, because a library may have thrown it.
  const lines = error.stack?.split('\n') ?? []
  const isLibrary = (line: string) =>
    line.includes('/node_modules/') || (ownFolder !== null && line.includes(ownFolder))
  const place = lines.find((line) => /^(\s+at .*)?file:/.test(line) && !isLibrary(line))
  const [, where] = /file:\/\/([^)]+)/.exec(place ?? '') ?? []
  return where === undefined ? error.message : `${error.message} (at ${decodeURI(where)})`
}
