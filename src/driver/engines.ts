import { DatabaseOpenError } from '../errors.ts'
import type { Engine } from './engine.ts'
import { sqlite } from './sqlite/engine.ts'
import type { Sqlite, SqliteOptions } from './sqlite/engine.types.ts'

/** What each engine gives of itself, by its name: the second parameter of `Database`. */
export interface Engines {
  readonly sqlite: Sqlite
}

export type EngineName = keyof Engines

/** The options of `open` that not every engine has. */
export interface EngineOptions extends SqliteOptions {}

/** Where a database is, and by which engine. */
export interface Located<E extends EngineName = EngineName> {
  readonly engine: Engine<Engines[E]>
  readonly address: string
}

/**
 * The engine that an address is one of: the one place where an engine is chosen, and where a further one joins. Throws a TypeError for
 * what is no address, and a DatabaseOpenError for one of an engine that there is not.
 */
export function locate(given: string | URL | undefined): Located {
  const text = given instanceof URL ? given.href : given
  if (typeof text === 'string' && /^postgres(ql)?:\/\//i.test(text)) {
    const reason = 'there is no engine for PostgreSQL yet: give the path of a file'
    throw new DatabaseOpenError(withoutSecrets(text), reason)
  }
  return { engine: sqlite, address: sqlite.address(given) }
}

/** As `locate`, of a database that outlasts its process. Throws a TypeError that says what `call` takes for any other. */
export function locateKept(given: string | URL | undefined, call: string, example = './data.db'): Located {
  const { engine, address } = locate(given)
  if (engine.isKept(address)) return { engine, address }
  throw new TypeError(`${call} takes the path of a file, as '${example}'`)
}

/** An address for a message: a user, a password and options have no place in one. */
function withoutSecrets(address: string): string {
  const { protocol, host, pathname } = URL.canParse(address)
    ? new URL(address)
    : { protocol: address.slice(0, address.indexOf(':') + 1), host: '…', pathname: '' }
  return `${protocol}//${host}${pathname}`
}
