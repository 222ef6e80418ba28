import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type LoadOptions, load, openOptionsOf } from './bulk-load.ts'
import { Database } from './database.ts'
import type { Pattern } from './key/pattern.types.ts'
import { openDatabase } from './open.ts'
import type { OpenOptions } from './open-options.ts'
import { defineSchema } from './schema/definition.ts'
import type { CheckedOptions, DefinitionOf, DefinitionOptions } from './schema/definition.types.ts'
import { Registry } from './schema/registry.ts'
import type { Definitions, NewDefinition, NewDefinitions } from './schema/registry.types.ts'

/** Schemas on their way to a database. Each method gives a new builder and leaves this one as it is. */
export class ValkeyrieBuilder<R extends Definitions> {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /**
   * Declares the schema of the values under the keys that a pattern matches.
   *
   * ```ts
   * Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string() }), { indexes: [{ on: 'name' }] })
   * ```
   */
  withSchema<
    const P extends Pattern,
    S extends StandardSchemaV1,
    const O extends DefinitionOptions = Record<never, never>,
  >(
    pattern: P & PatternCheck<NewDefinition<R, DefinitionOf<P, S, O>>>,
    schema: S,
    options?: O & CheckedOptions<S, O>,
  ): ValkeyrieBuilder<readonly [...R, DefinitionOf<P, S, O>]> {
    const define = defineSchema as (
      pattern: Pattern,
      schema: S,
      options?: DefinitionOptions,
    ) => DefinitionOf<P, S, O>
    return new ValkeyrieBuilder(this.#registry.add(define(pattern, schema, options)))
  }

  /** Declares the schemas of definitions that were made by `defineSchema`. */
  withSchemas<const New extends Definitions>(
    definitions: New & NewDefinitions<R, New>,
  ): ValkeyrieBuilder<readonly [...R, ...New]> {
    return new ValkeyrieBuilder(this.#registry.add(...definitions))
  }

  /**
   * Opens a database with these schemas.
   *
   * @param path The file, created if there is none; left out: a database in memory.
   * @throws DatabaseOpenError for a path that cannot be opened; TypeError or RangeError for an option that is not valid.
   */
  open(path?: string, options?: OpenOptions): Promise<Database<R>> {
    return openDatabase<R>(this.#registry, path, options)
  }

  /**
   * Opens a database and loads items into it, each under `prefix` and its `keyProperty`.
   *
   * ```ts
   * const db = await Valkeyrie.from([{ id: 'a', n: 1 }], { prefix: ['items'], keyProperty: 'id' })
   * await db.get(['items', 'a']) // { …, value: { id: 'a', n: 1 } }
   * ```
   */
  from<T>(items: Iterable<T>, options: LoadOptions<T>): Promise<Database<R>> {
    return this.#load(items, options)
  }

  /** As `from`, of items that come one after the other: memory does not grow with their number. */
  fromAsync<T>(items: AsyncIterable<T> | Iterable<T>, options: LoadOptions<T>): Promise<Database<R>> {
    return this.#load(items, options)
  }

  async #load<T>(items: Iterable<T> | AsyncIterable<T>, options: LoadOptions<T>): Promise<Database<R>> {
    const openOptions = openOptionsOf(options)
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

/** Makes a parameter of a type that is an error message where the definition cannot be added. */
type PatternCheck<Checked> = Checked extends { error: string } ? Checked : unknown

const noSchemas = new ValkeyrieBuilder<readonly []>(new Registry())

/** Where everything starts: declare schemas, then open a database. */
export const Valkeyrie = Object.freeze({
  /** Opens a database without schemas: its values are typed `unknown`. See {@link ValkeyrieBuilder.open}. */
  open: (path?: string, options?: OpenOptions): Promise<Database> => noSchemas.open(path, options),
  withSchema: noSchemas.withSchema.bind(noSchemas) as typeof noSchemas.withSchema,
  withSchemas: noSchemas.withSchemas.bind(noSchemas) as typeof noSchemas.withSchemas,
  from: noSchemas.from.bind(noSchemas) as typeof noSchemas.from,
  fromAsync: noSchemas.fromAsync.bind(noSchemas) as typeof noSchemas.fromAsync,
  [Symbol.hasInstance]: (value: unknown): boolean => value instanceof Database,
})

/** An open database, with the definitions that it was opened with as its parameter. */
export type Valkeyrie<R extends Definitions = readonly []> = Database<R>
