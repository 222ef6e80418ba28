import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The path of a database in the memory of this process. */
export const memoryPath = ':memory:'

/**
 * The absolute path of a database, so that a later change of the working directory does not matter. Throws a TypeError for a path
 * that names no file, or only by mistake.
 */
export function databasePath(path: string | URL | undefined): string {
  if (path === undefined || path === memoryPath) return memoryPath
  if (path instanceof URL) return pathOfUrl(path)
  if (typeof path !== 'string' || path.trim() === '' || path.includes('\0')) {
    throw new TypeError(
      "The path of a database must be the name of a file, such as './data.db'; leave it out for one in memory",
    )
  }
  if (path.startsWith(':')) {
    throw new TypeError(
      `'${path}' is not the name of a database: leave out the path for one in memory, or write './${path}' for a file of this name`,
    )
  }
  if (/^file:/i.test(path)) {
    throw new TypeError(
      `'${path}' is not a path: write only the path, pass a URL object, or write './${path}' for a file of this name`,
    )
  }
  const scheme = schemeOf(path)
  if (scheme !== null) throw unknownAddress(scheme)
  const absolute = resolve(path)
  // better-sqlite3 leaves the white space out, and would open another file.
  if (absolute !== absolute.trimEnd())
    throw new TypeError(
      `${JSON.stringify(path)} ends with white space, which is no part of the name of a database: trim it`,
    )
  assertOwnName(absolute)
  return absolute
}

/** SQLite takes files of these names for parts of the database beside them: it reads, overwrites and removes them. */
function assertOwnName(path: string): void {
  const database = /^(.+)-(?:wal|shm|journal)$/.exec(path)?.[1]
  if (database !== undefined && statSync(database, { throwIfNoEntry: false })?.isFile())
    throw new TypeError(`${path} belongs to the database ${database}: name another file`)
}

/** `mysql` of `mysql://…`; null for a path. */
function schemeOf(path: string): string | null {
  return /^\s*(postgres(?:ql)?(?=:)|[a-z][a-z0-9+.-]*(?=:\/\/))/i.exec(path)?.[1] ?? null
}

/** Does not show the rest of the address, which may contain a password. */
function unknownAddress(scheme: string): TypeError {
  if (/^postgres/i.test(scheme))
    return new TypeError(
      "The address of a PostgreSQL server must begin with 'postgres://', without a space before it",
    )
  return new TypeError(
    `There is no engine for ${scheme}://…: pass the path of a file, such as './data.db', or the address of a PostgreSQL server, 'postgres://…'`,
  )
}

function pathOfUrl(url: URL): string {
  if (url.protocol === 'file:' && url.host === '' && url.search === '' && url.hash === '') {
    return databasePath(fileURLToPath(url))
  }
  if (url.protocol !== 'file:') throw unknownAddress(url.protocol.slice(0, -1))
  throw new TypeError(
    `The URL of a database must be that of a file, as new URL('file:///srv/data.db'), without host, query and hash (got ${url})`,
  )
}
