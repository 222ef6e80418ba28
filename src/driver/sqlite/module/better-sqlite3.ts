import { createRequire } from 'node:module'
import type Database from 'better-sqlite3'
import type { Connection, SqliteModule } from './sqlite-module.ts'

export type BetterSqlite3Connection = Database.Database

/** better-sqlite3, on which `Connection` is modelled. Its binary crashes a Node.js that is too old, so it is loaded late. */
export async function loadBetterSqlite3(): Promise<SqliteModule> {
  const { default: Engine } = await import('better-sqlite3')
  return {
    name: 'better-sqlite3',
    open: openerOf(Engine),
    onThread: () => ({
      program: `(data) => (${openerOf})(require(data))`,
      data: createRequire(import.meta.url).resolve('better-sqlite3'),
    }),
  }
}

/** Its text also runs on other threads, so it can only use its arguments. */
function openerOf(Engine: typeof Database): SqliteModule['open'] {
  return (path, { readOnly = false, create = false, timeout = 0 }) =>
    new Engine(path, { readonly: readOnly, fileMustExist: !create, timeout }) as unknown as Connection
}
