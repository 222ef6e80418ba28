import type { Catalog } from '../catalog/catalog.ts'
import { collectionOf } from '../catalog/collection-of.ts'
import { type Difference, differences } from '../catalog/differences.ts'
import { patternText } from '../catalog/pattern-text.ts'
import { MigrationError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { decodeKey } from '../key/codec.ts'
import { takesKeysOf } from '../key/pattern.ts'
import { PatternIndex } from '../key/pattern-index.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Registry } from '../schema/registry.ts'
import type { AtomicWrite, Mutation } from './write.ts'

/** Tells the collection of each key, by the patterns that the database knows: those declared here and by others. */
export class Filing {
  readonly #opened: Catalog
  readonly #registry: Registry
  /** `null`: the catalogue is as it was when the database was opened. */
  #differences: ReadonlyMap<string, Difference> | null = null
  #catalogVersion!: number
  #index!: PatternIndex<string>
  /** Whether keys that a schema of the registry matches belong to a pattern that others have declared. */
  #shares!: boolean

  /** `catalog`: as it was when the database was opened with the schemas of the registry. */
  constructor(catalog: Catalog, registry: Registry) {
    this.#opened = catalog
    this.#registry = registry
    this.#file(catalog)
  }

  get catalogVersion(): number {
    return this.#catalogVersion
  }

  /** `null`: no pattern matches the key. */
  collectionOf(key: Key): string | null {
    return this.#index.find(key) ?? null
  }

  /** Goes on by what others have made of the catalogue. */
  update(catalog: Catalog): void {
    this.#file(catalog)
    this.#differences = differences(this.#registry.definitions.map(collectionOf), this.#opened, catalog)
  }

  #file({ version, collections }: Catalog): void {
    this.#catalogVersion = version
    this.#index = new PatternIndex(collections.map(({ pattern, name }) => [pattern, name]))
    const own = this.#registry.definitions
    this.#shares = collections.some(
      ({ name, pattern }) =>
        !own.some((it) => it.name === name) && own.some((it) => takesKeysOf(pattern, it.pattern)),
    )
  }

  /**
   * A write, filed by the catalogue as it is known now. Throws a MigrationError if others have changed the database so that a value
   * of one of its schemas can no longer be written, and for a key that belongs to a more specific pattern of theirs: its row would be
   * none of the schema that it was written by.
   */
  refile(write: AtomicWrite): AtomicWrite {
    if (this.#differences === null && !this.#shares) return write
    const mutations = write.mutations.map((mutation) => this.#refileMutation(mutation))
    if (write.claim === undefined) return { ...write, mutations }
    const candidates = write.claim.candidates.map((candidate) => ({
      ...candidate,
      mutation: this.#refileMutation(candidate.mutation),
    }))
    return { ...write, mutations, claim: { ...write.claim, candidates } }
  }

  #refileMutation(mutation: Mutation): Mutation {
    if (!('collection' in mutation)) return mutation
    const key = decodeKey(mutation.key)
    const definition = this.#registry.find(key)
    const difference = definition && this.#differences?.get(definition.name)
    if (difference !== undefined) throw difference.error
    const collection = this.collectionOf(key)
    if (definition !== undefined && collection !== null && collection !== definition.name)
      throw keyOfAnother(definition, collection, mutation.key)
    return { ...mutation, collection }
  }
}

function keyOfAnother({ name, pattern }: AnyDefinition, owner: string, key: Uint8Array): MigrationError {
  return new MigrationError(
    `The key ${patternText(decodeKey(key))} belongs to '${owner}' in the database, because its pattern is more specific than ${patternText(pattern)} of '${name}': declare '${owner}' too`,
    { repository: name },
  )
}
