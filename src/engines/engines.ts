import type { Engine } from '../driver/engine.ts'
import { postgres } from '../driver/postgres/engine.ts'
import type { Postgres, PostgresOptions } from '../driver/postgres/engine.types.ts'
import { isPostgresAddress } from '../driver/postgres/server/address.ts'
import { sqlite } from '../driver/sqlite/engine.ts'
import type { Sqlite, SqliteOptions } from '../driver/sqlite/engine.types.ts'

/** The types of each engine, by its name: the second parameter of `Database`. */
export interface Engines {
  readonly sqlite: Sqlite
  readonly postgres: Postgres
}

export type EngineName = keyof Engines

/** The engine of an address, as far as its type shows: SQLite for `string`. */
export type EngineOf<Address> =
  Lowercase<Address & string> extends `postgres${'' | 'ql'}://${string}` ? 'postgres' : 'sqlite'

/** The options of `open` that only some engines have. */
export interface EngineOptions extends SqliteOptions, PostgresOptions {}

/** Options of `open` for an address: without those of other engines, if its type shows its engine. */
export type OptionsAt<Address, Options> = Address extends string
  ? // A type of many texts, such as `string`, does not show it.
    Record<never, never> extends Record<Address, unknown>
    ? Options
    : Omit<Options, Exclude<keyof EngineOptions, keyof Engines[EngineOf<Address>]['options']>>
  : Options

/** An address, and the engine that it belongs to. */
export interface Located<E extends EngineName = EngineName> {
  readonly engine: Engine<Engines[E]>
  readonly address: string
}

/**
 * Finds the engine of an address: the one place where an engine is chosen, and where a new one is added. Throws a TypeError if this
 * is not an address.
 */
export function locate(given: string | URL | undefined): Located {
  const text = given instanceof URL ? given.href : given
  if (isPostgresAddress(text)) return { engine: postgres, address: postgres.address(text) }
  return { engine: sqlite, address: sqlite.address(given) }
}

/** Like `locate`, but only for a database that outlasts its process. Throws a TypeError that says what `call` takes otherwise. */
export function locateKept(given: string | URL | undefined, call: string, example = './data.db'): Located {
  const { engine, address } = locate(given)
  if (engine.isKept(address)) return { engine, address }
  throw new TypeError(`${call} takes the path of a file, such as '${example}'`)
}

/** Which engine alone has this option of `open`, in words; `undefined` for any other name. */
export function engineWithOption(name: string): string | undefined {
  const [isOfFiles, isOfServers] = [sqlite, postgres].map(({ optionNames }) => optionNames.includes(name))
  if (isOfFiles === isOfServers) return undefined
  return isOfFiles ? 'SQLite' : 'PostgreSQL'
}

/** The path of a database in a file; `null` for any other database. */
export function fileOf({ engine, address }: Located): string | null {
  return engine === sqlite && engine.isKept(address) ? address : null
}

/** The path of a file. Throws a TypeError that says what `call` takes if the address is not a file. */
export function locateFile(given: string | URL | undefined, call: string, example: string): string {
  const file = fileOf(locate(given))
  if (file !== null) return file
  throw new TypeError(`${call} takes the path of a file, such as '${example}'`)
}
