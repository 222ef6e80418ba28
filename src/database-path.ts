import { resolve } from 'node:path'

/** The path of a database that lives in this process's memory alone. */
export const memoryPath = ':memory:'

/** The absolute path of a database, so that a later change of the working directory does not move it. */
export function databasePath(path: string | undefined): string {
  return path === undefined || path === memoryPath ? memoryPath : resolve(path)
}
