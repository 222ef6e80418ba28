import { lstatSync } from 'node:fs'

/** The name, or the first free one of name.2, name.3 and so on. */
export function freeName(name: string): string {
  for (let path = name, next = 2; ; path = `${name}.${next++}`) {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return path
  }
}
