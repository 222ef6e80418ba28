import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('file-calls.c', import.meta.url))

let found: string | null | undefined

/** Why this machine cannot put our library between a process and its files; undefined if it can. */
export function preloadObstacle(): string | undefined {
  found ??= obstacle() ?? null
  return found ?? undefined
}

function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'it needs Linux'
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  if (header.glibcVersionRuntime === undefined) return 'it needs the GNU C library'
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
  } catch {
    return 'it needs a C compiler, by the name of cc'
  }
  return undefined
}

/** What sees the calls that a program makes on the files of a database, and for what: a file of faults, or one for the log. */
export type Seen = { readonly path: string } & ({ readonly faults: string } | { readonly log: string })

/** Compiles the library into a folder, and returns the environment of a program that preloads it. */
export function preloaded(folder: string, seen: Seen): NodeJS.ProcessEnv {
  const library = join(folder, 'file-calls.so')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  return {
    LD_PRELOAD: library,
    VALKEYRIE_CALLS_ON: seen.path,
    ...('faults' in seen ? { VALKEYRIE_CALLS_FAIL: seen.faults } : { VALKEYRIE_CALLS_LOG: seen.log }),
  }
}
