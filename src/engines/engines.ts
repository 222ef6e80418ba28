import type { Engine } from '../driver/engine.ts'
import { postgres } from '../driver/postgres/engine.ts'
import type { Postgres, PostgresOptions } from '../driver/postgres/engine.types.ts'
import { isPostgresAddress } from '../driver/postgres/server/address.ts'
import { sqlite } from '../driver/sqlite/engine.ts'
import type { Sqlite, SqliteOptions } from '../driver/sqlite/engine.types.ts'

/** What each engine gives of itself, by its name: the second parameter of `Database`. */
export interface Engines {
  readonly sqlite: Sqlite
  readonly postgres: Postgres
}

export type EngineName = keyof Engines

/** The engine of a database by its address, as far as the type of that tells: of a text in general, SQLite. */
export type EngineOf<Address> =
  Lowercase<Address & string> extends `postgres${'' | 'ql'}://${string}` ? 'postgres' : 'sqlite'

/** The options of `open` that not every engine has. */
export interface EngineOptions extends SqliteOptions, PostgresOptions {}

/** Where a database is, and by which engine. */
export interface Located<E extends EngineName = EngineName> {
  readonly engine: Engine<Engines[E]>
  readonly address: string
}

/**
 * The engine that an address is one of: the one place where an engine is chosen, and where a further one joins. Throws a TypeError for
 * what is not an address.
 */
export function locate(given: string | URL | undefined): Located {
  const text = given instanceof URL ? given.href : given
  if (isPostgresAddress(text)) return { engine: postgres, address: postgres.address(text) }
  return { engine: sqlite, address: sqlite.address(given) }
}

/** As `locate`, of a database that outlasts its process. Throws a TypeError that says what `call` takes for any other. */
export function locateKept(given: string | URL | undefined, call: string, example = './data.db'): Located {
  const { engine, address } = locate(given)
  if (engine.isKept(address)) return { engine, address }
  throw new TypeError(`${call} takes the path of a file, such as '${example}'`)
}

/** The path of a database that is a file; `null` for another one. */
export function fileOf({ engine, address }: Located): string | null {
  return engine === sqlite && engine.isKept(address) ? address : null
}

/** The path of a file, for what is none but a file. Throws a TypeError that says what `call` takes for anything else. */
export function locateFile(given: string | URL | undefined, call: string, example: string): string {
  const file = fileOf(locate(given))
  if (file !== null) return file
  throw new TypeError(`${call} takes the path of a file, such as '${example}'`)
}
