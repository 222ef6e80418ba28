import type { AtomicWrite, Mutation } from '../commit/write.ts'
import type { Catalog } from '../driver/driver.ts'
import { decodeKey } from '../key/codec.ts'
import { PatternIndex } from '../key/pattern-index.ts'
import type { Key } from '../key.types.ts'

/** Tells the collection of each key, by the patterns that the database knows: those declared here and by others. */
export class Filing {
  #catalogVersion!: number
  #index!: PatternIndex<string>

  constructor(catalog: Catalog) {
    this.update(catalog)
  }

  get catalogVersion(): number {
    return this.#catalogVersion
  }

  /** `null`: no pattern matches the key. */
  collectionOf(key: Key): string | null {
    return this.#index.find(key) ?? null
  }

  update({ version, collections }: Catalog): void {
    this.#catalogVersion = version
    this.#index = new PatternIndex(collections.map(({ pattern, name }) => [pattern, name]))
  }

  /** A write that was filed by an older catalog, filed by this one. */
  refile(write: AtomicWrite): AtomicWrite {
    return { ...write, mutations: write.mutations.map((mutation) => this.#refileMutation(mutation)) }
  }

  #refileMutation(mutation: Mutation): Mutation {
    if (!('collection' in mutation)) return mutation
    return { ...mutation, collection: this.collectionOf(decodeKey(mutation.key)) }
  }
}
