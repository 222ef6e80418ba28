import type { InspectOptions as NodeInspectOptions } from 'node:util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { inspected, inspectName } from '../contract/inspected.ts'
import type { Verification, VerifyOptions } from '../driver/verification.ts'
import type { EngineOf, OptionsAt } from '../engines/engines.ts'
import type { PatternPart } from '../key/pattern.types.ts'
import { defineSchema, isDefinition } from '../schema/definition.ts'
import type {
  CheckedOptions,
  DefinitionOf,
  DefinitionOptions,
  PartsCheck,
} from '../schema/definition.types.ts'
import { Registry } from '../schema/registry.ts'
import type { Definitions, NewDefinition, NewDefinitions } from '../schema/registry.types.ts'
import { pacedOutcome } from '../time/give-way.ts'
import { load } from './bulk-load.ts'
import type { Copied, CopyOptions } from './copy-database.ts'
import { Database } from './database.ts'
import type { InspectOptions } from './inspect-options.ts'
import { checkItems, type LoadOptions, openOptionsOf } from './load-options.ts'
import { type InspectedDatabase, inspectDatabase, openDatabase, verifyDatabase } from './open.ts'
import type { OpenOptions } from './open-options.ts'

/** The schemas of a database that you are about to open. Each method returns a new builder and leaves this one as it is. */
export class ValkeyrieBuilder<R extends Definitions> {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  [inspectName](_depth: number, options: NodeInspectOptions): string {
    const schemas = this.#registry.definitions.map(({ name, pattern }) => ({ name, pattern }))
    return inspected('ValkeyrieBuilder', { schemas }, options)
  }

  /**
   * Declares the schema of the values under the keys that a pattern matches, as `defineSchema` does. Throws a TypeError if an
   * argument does not have the documented shape, or if another schema has the same name or pattern.
   *
   * ```ts
   * const pen = z.object({ price: z.int() })
   * const shop = await Valkeyrie.withSchema(['pens', '*'], pen, { indexes: [{ on: 'price' }] }).open()
   * shop.repositories.pens.pattern // => ['pens', '*']
   * ```
   */
  withSchema<
    const P extends readonly PatternPart[],
    S extends StandardSchemaV1,
    const O extends DefinitionOptions,
  >(
    pattern: P & PartsCheck<P> & PatternCheck<NewDefinition<R, DefinitionOf<P, S, O>>>,
    schema: S,
    options?: O & CheckedOptions<S, O>,
  ): ValkeyrieBuilder<readonly [...R, DefinitionOf<P, S, O>]> {
    const define = defineSchema as (
      pattern: readonly PatternPart[],
      schema: S,
      options?: DefinitionOptions,
    ) => DefinitionOf<P, S, O>
    return new ValkeyrieBuilder(this.#registry.add(define(pattern, schema, options)))
  }

  /**
   * Declares the schemas of definitions, which `defineSchema` makes. Throws a TypeError if two schemas have the same name or
   * pattern.
   *
   * ```ts
   * const pens = defineSchema(['pens', '*'], z.object({ price: z.int() }))
   * const shop = await Valkeyrie.withSchemas([pens]).open()
   * shop.repository(pens).name // => 'pens'
   * ```
   */
  withSchemas<const New extends Definitions>(
    definitions: New & NewDefinitions<R, New>,
  ): ValkeyrieBuilder<readonly [...R, ...New]> {
    return new ValkeyrieBuilder(this.#registry.add(...checkDefinitions(definitions)))
  }

  /**
   * Opens a database with these schemas. With a path, it opens that file, and creates it if it does not exist; with an address
   * `postgres://…`, a schema of a PostgreSQL server; without a path, a database in the memory of this process. A path may be a
   * `file:` URL object, such as `new URL('./data.db', import.meta.url)`; `':memory:'` means no path.
   *
   * ```ts
   * const schemas = Valkeyrie.withSchema(['pens', '*'], z.object({ price: z.int() }))
   * const shop = await schemas.open('./shop.db', { durability: 'full' })
   * await shop.close()
   * ```
   *
   * Rejects with DatabaseOpenError if the path cannot be opened, with MigrationError if the schemas do not fit the stored data,
   * with DatabaseBusyError, and with TypeError or RangeError if an option is not valid.
   */
  open<const Address extends string | URL = string>(
    path?: Address,
    options?: OptionsAt<Address, OpenOptions>,
  ): Promise<Database<R, EngineOf<Address>>> {
    return pacedOutcome(openDatabase(this.#registry, path, options as OpenOptions))
  }

  /**
   * Opens a database and loads items into it, each under `prefix` and its `keyProperty`, a thousand in one transaction.
   *
   * ```ts
   * const pens = [{ id: 'red', price: 2 }, { id: 'blue', price: 3 }]
   * const shop = await Valkeyrie.from(pens, { prefix: ['pens'], keyProperty: 'id' })
   * await shop.get(['pens', 'red']) // => { key: ['pens', 'red'], value: { id: 'red', price: 2 }, versionstamp: '…' }
   * ```
   *
   * Rejects as `open` does. Unless `onError` is `'continue'`, it also rejects with the error of the first item that cannot be
   * stored: the database is then closed, and the items stored so far stay. So it is if it rejects with the reason of the signal.
   */
  from<T>(items: Iterable<T>, options: LoadOptions<T>): Promise<Database<R>> {
    return pacedOutcome(this.#load(items, options))
  }

  /**
   * Like `from`, for items that arrive one after the other: memory does not grow with their number.
   *
   * ```ts
   * async function* pens() {
   *   yield { id: 'red', price: 2 }
   *   yield { id: 'blue', price: 3 }
   * }
   * const shop = await Valkeyrie.fromAsync(pens(), { prefix: ['pens'], keyProperty: (pen) => pen.id })
   * await Array.fromAsync(shop.list({ prefix: ['pens'] }), ({ key }) => key) // => [['pens', 'blue'], ['pens', 'red']]
   * ```
   */
  fromAsync<T>(items: AsyncIterable<T> | Iterable<T>, options: LoadOptions<T>): Promise<Database<R>> {
    return pacedOutcome(this.#load(items, options))
  }

  async #load<T>(items: Iterable<T> | AsyncIterable<T>, options: LoadOptions<T>): Promise<Database<R>> {
    checkItems(items, 'from')
    const openOptions = openOptionsOf(options)
    options.signal?.throwIfAborted()
    const database = await this.open(options.path, openOptions)
    try {
      await load(database, items, options)
      return database
    } catch (error) {
      await database.close()
      throw error
    }
  }
}

function checkDefinitions<New extends Definitions>(definitions: New): New {
  if (Array.isArray(definitions) && definitions.every(isDefinition)) return definitions
  throw new TypeError('withSchemas takes an array of definitions: make each with defineSchema')
}

/** Makes a parameter of a type that is an error message where the definition cannot be added. */
type PatternCheck<Checked> = Checked extends { error: string } ? Checked : unknown

const noSchemas = new ValkeyrieBuilder<readonly []>(new Registry())

/**
 * Start here. Declare schemas with `withSchema` and `withSchemas`, in a chain that ends in `open`, `from` or `fromAsync`. Without
 * a chain, these three open a database without schemas, whose values are typed `unknown`. Each is the method of the same name of
 * ValkeyrieBuilder. As a type, `Valkeyrie<R>` is `Database<R>`, and `instanceof` works.
 *
 * ```ts
 * const plain = await Valkeyrie.open()
 * plain instanceof Valkeyrie // => true
 * await plain.set(['lamp'], 'on')
 * await plain.get(['lamp']) // => { key: ['lamp'], value: 'on', versionstamp: '…' }
 * ```
 */
export const Valkeyrie = Object.freeze({
  /** Opens a database without schemas: its values are typed `unknown`. See `ValkeyrieBuilder.open`. */
  open: <const Address extends string | URL = string>(
    path?: Address,
    options?: OptionsAt<Address, OpenOptions>,
  ): Promise<Database<readonly [], EngineOf<Address>>> => noSchemas.open(path, options),
  withSchema: noSchemas.withSchema.bind(noSchemas) as typeof noSchemas.withSchema,
  withSchemas: noSchemas.withSchemas.bind(noSchemas) as typeof noSchemas.withSchemas,
  from: noSchemas.from.bind(noSchemas) as typeof noSchemas.from,
  fromAsync: noSchemas.fromAsync.bind(noSchemas) as typeof noSchemas.fromAsync,
  /**
   * Reads a whole database and reports what is damaged: the engine first checks the file itself (a server does that on its own),
   * then each row, each commit of the log and the catalogue are read. It writes nothing, needs no schemas, and works while other
   * programs have the file open.
   *
   * ```ts
   * await (await Valkeyrie.open('./lamps.db')).close()
   * await Valkeyrie.verify('./lamps.db') // => { sound: true, findings: [], counts: {}, rows: 0, commits: 0 }
   * ```
   *
   * The engine's check is one call that takes as long as reading the file, and blocks this process meanwhile. Rejects with
   * DatabaseOpenError if there is no database of this package.
   */
  verify: (path: string | URL, options?: VerifyOptions): Promise<Verification> =>
    verifyDatabase(path, options),
  /**
   * Opens an existing database without its schemas, with what its catalogue knows of them: a repository for each pattern that
   * programs have declared, with its name, indexes and references. For consoles, scripts and tools.
   *
   * ```ts
   * const lamp = z.object({ on: z.boolean() })
   * await using lamps = await Valkeyrie.withSchema(['lamps', '*'], lamp).open('./inspected.db')
   * await lamps.repositories.lamps.set('hall', { on: true })
   *
   * await using known = await Valkeyrie.inspect('./inspected.db')
   * Object.keys(known.repositories) // => ['lamps']
   * await known.repository(['lamps', '*']).count({ where: { on: true } }) // => 1
   * await known.set(['lamps', 'door'], { on: 'no' }) // => throws ValidationError
   * ```
   *
   * You can write, unless you open with `readOnly`. Pass values as they are to be stored: each is checked against the JSON Schema
   * in the catalogue, and stored unchanged. What JSON Schema cannot express, such as a refinement, is not checked; if the library of
   * a schema could not describe it, nothing is. Patterns, schemas and indexes stay as they are.
   *
   * Rejects as `open` does, and with DatabaseOpenError if there is no database of this package.
   */
  inspect: <const Address extends string | URL = string>(
    path: Address,
    options?: OptionsAt<Address, InspectOptions>,
  ): Promise<InspectedDatabase<EngineOf<Address>>> => inspectDatabase(path, options as InspectOptions),
  /**
   * Copies a database to another address, of any engine: a file to a PostgreSQL server, or back. The copy has the values, versions
   * and expiries, the catalogue, the indexes and the log. Versionstamps stay the same, so whoever follows changes can continue from
   * the last one seen. Others may keep writing: the copy has what was committed when it began.
   *
   * ```ts
   * await using lamps = await Valkeyrie.open('./lamps-here.db')
   * const { versionstamp } = await lamps.set(['hall'], 'on')
   * const copied = await Valkeyrie.copy('./lamps-here.db', './lamps-there.db') // or 'postgres://…'
   * copied.rows // => 1
   * copied.versionstamp === versionstamp // => true
   * ```
   *
   * Each row is read again and compared before the copy is final, so the target has either the whole copy or what it had before.
   * Rejects with a MigrationError whose `refused` names each row that the other engine cannot store, with DatabaseOpenError if the
   * target already has a database (without `overwrite`), and with DatabaseBusyError.
   */
  copy: async (from: string | URL, to: string | URL, options?: CopyOptions): Promise<Copied> =>
    (await import('./copy-database.ts')).copyDatabase(from, to, options),
  [Symbol.hasInstance]: (value: unknown): boolean => value instanceof Database,
})

/** An open database, with the definitions that it was opened with as its parameter. */
export type Valkeyrie<R extends Definitions = readonly []> = Database<R>
