import { type Stats, statSync } from 'node:fs'

/** What kind of thing it is that is no plain file. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isSymbolicLink()) return 'a symbolic link'
  if (stats.isFIFO()) return 'a FIFO'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

/** What is at a path that is there and no plain file, be it behind a symbolic link; undefined: a plain file, or nothing. */
export function otherThanFile(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined || stats.isFile() ? undefined : kindOf(stats)
}

/** Whether both paths lead to one file, under whichever names. */
export function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }))
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev
}
