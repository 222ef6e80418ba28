import type { Catalog } from '../catalog/catalog.ts'
import { type Difference, differences } from '../catalog/differences.ts'
import type { AtomicWrite, Mutation } from '../commit/write.ts'
import { decodeKey } from '../key/codec.ts'
import { PatternIndex } from '../key/pattern-index.ts'
import type { Key } from '../key.types.ts'
import { collectionOf } from '../schema/collection-of.ts'
import type { Registry } from '../schema/registry.ts'

/** Tells the collection of each key, by the patterns that the database knows: those declared here and by others. */
export class Filing {
  readonly #opened: Catalog
  readonly #registry: Registry
  /** `null`: the catalogue is as it was when the database was opened. */
  #differences: ReadonlyMap<string, Difference> | null = null
  #catalogVersion!: number
  #index!: PatternIndex<string>

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
  }

  /**
   * A write, filed by the catalogue as it is known now. Throws a MigrationError where others have changed the database so that a value
   * of one of its schemas can no longer be written.
   */
  refile(write: AtomicWrite): AtomicWrite {
    if (this.#differences === null) return write
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
    return { ...mutation, collection: this.collectionOf(key) }
  }
}
