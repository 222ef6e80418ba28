/**
 * The names in a dotted path, as in superjson's types and the fields of a query: a backslash makes a dot, or a backslash, part of a
 * name. `null` if it escapes anything else.
 *
 * @example
 * splitPath('a\\.b.c')   // ['a.b', 'c']
 */
export function splitPath(path: string): string[] | null {
  if (!path.includes('\\')) return path.split('.')
  const names: string[] = []
  let name = ''
  for (let i = 0; i < path.length; i++) {
    const character = path[i]!
    if (character === '.') {
      names.push(name)
      name = ''
    } else if (character !== '\\') name += character
    else {
      const escaped = path[++i]
      if (escaped !== '.' && escaped !== '\\') return null
      name += escaped
    }
  }
  return [...names, name]
}

/** The path that `splitPath` splits into these names; different names give different paths. */
export function joinPath(names: readonly string[]): string {
  return names.map(escapeName).join('.')
}

/** A name as it stands in a dotted path. */
export function escapeName(name: string): string {
  return name.includes('\\') || name.includes('.')
    ? name.replaceAll('\\', '\\\\').replaceAll('.', '\\.')
    : name
}
