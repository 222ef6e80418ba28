import { closeSync, fchmodSync, fchownSync, openSync, rmSync, statSync } from 'node:fs'

const permissions = 0o777
const ownerMayWrite = 0o600

/**
 * Creates a file for data of a database, and returns its descriptor. It has the permissions of the database, but its owner may
 * write it: the database may be an archived one. The file must not exist, not even as a symbolic link that leads nowhere. `like`:
 * the path of the database; `null` for one in memory.
 */
export function createFile(path: string, like: string | null): number {
  if (like === null) return openSync(path, 'wx+')
  const { mode, uid, gid } = statSync(like)
  const file = openSync(path, 'wx+', ownerMayWrite)
  try {
    // As the engine does with the files beside a database.
    if (process.geteuid?.() === 0) fchownSync(file, uid, gid)
    fchmodSync(file, (mode & permissions) | ownerMayWrite)
    return file
  } catch (error) {
    closeSync(file)
    rmSync(path)
    throw error
  }
}
