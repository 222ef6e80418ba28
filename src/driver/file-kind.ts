import { type Stats, statSync } from 'node:fs'

/** What something is that is not a plain file. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isSymbolicLink()) return 'a symbolic link'
  if (stats.isFIFO()) return 'a FIFO'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

/** What a path leads to, even through a symbolic link, if it is not a plain file; undefined for a plain file, or for nothing. */
export function otherThanFile(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined || stats.isFile() ? undefined : kindOf(stats)
}

/** Whether both paths lead to the same file. */
export function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }))
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev
}
