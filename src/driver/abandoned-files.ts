import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isAlive } from './is-alive.ts'

/**
 * The files beside a target that a process has left behind which is gone. Their names begin with that of the target and the mark;
 * `ending` matches the rest, and gives the id of the process.
 */
export function abandonedFiles(target: string, mark: string, ending: RegExp): string[] {
  const folder = dirname(target)
  const start = basename(target) + mark
  return readdirSync(folder)
    .filter((name) => {
      const pid = name.startsWith(start) ? ending.exec(name.slice(start.length))?.[1] : undefined
      return pid !== undefined && !isAlive(Number(pid))
    })
    .map((name) => join(folder, name))
}
