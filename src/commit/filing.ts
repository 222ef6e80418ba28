import type { Catalog } from '../catalog/catalog.ts'
import { collectionOf } from '../catalog/collection-of.ts'
import { type Difference, differences } from '../catalog/differences.ts'
import { MigrationError, ValidationError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { decodeKey } from '../key/codec.ts'
import { takesKeysOf } from '../key/pattern.ts'
import { PatternIndex } from '../key/pattern-index.ts'
import { patternText } from '../key/pattern-text.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Registry } from '../schema/registry.ts'
import type { AtomicWrite, Mutation } from './write.ts'

/** Finds the collection of each key, by the patterns in the catalogue: those declared here, and those of other programs. */
export class Filing {
  readonly #opened: Catalog
  readonly #registry: Registry
  /** `null`: the catalogue is unchanged since the database was opened. */
  #differences: ReadonlyMap<string, Difference> | null = null
  #catalogVersion!: number
  #index!: PatternIndex<string>
  /** The names of the collections that have indexes, whoever has declared them. */
  #indexed!: ReadonlySet<string>
  /** Whether other programs have declared patterns that take keys from a schema of the registry. */
  #shares!: boolean

  /** `catalog`: as it was after the database was opened with the schemas of the registry. */
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

  /** Whether an index would have an entry for a row with this key. */
  isIndexed(key: Key): boolean {
    return this.#indexed.size > 0 && this.#indexed.has(this.#index.find(key) ?? '')
  }

  /** Takes over a catalogue that others have changed. */
  update(catalog: Catalog): void {
    this.#file(catalog)
    this.#differences = differences(this.#registry.definitions.map(collectionOf), this.#opened, catalog)
  }

  #file({ version, collections }: Catalog): void {
    this.#catalogVersion = version
    this.#index = new PatternIndex(collections.map(({ pattern, name }) => [pattern, name]))
    const indexed = collections.filter(({ indexes }) => indexes.some(({ built }) => built))
    this.#indexed = new Set(indexed.map(({ name }) => name))
    const own = this.#registry.definitions
    this.#shares = collections.some(
      ({ name, pattern }) =>
        !own.some((it) => it.name === name) && own.some((it) => takesKeysOf(pattern, it.pattern)),
    )
  }

  /**
   * A write with its rows filed by the current catalogue. Throws a MigrationError if others have changed the database so that
   * values of one of its schemas can no longer be written, or if a key now belongs to a more specific pattern of theirs: its row
   * would not have their schema.
   */
  refile(write: AtomicWrite): AtomicWrite {
    if (this.#differences === null && !this.#shares) return write
    const mutations = write.mutations.map((mutation) => this.#refileMutation(mutation))
    if (write.claim === undefined) return { ...write, mutations }
    const candidates = write.claim.candidates.map((candidate) => ({
      ...candidate,
      mutation: this.#refileMutation(candidate.mutation),
    }))
    const { prepare, ...claim } = write.claim
    // What is prepared in the commit is filed by this catalogue, but not checked here.
    const mayPrepare = prepare !== undefined && !this.#shares && this.#differences?.size === 0
    return { ...write, mutations, claim: { ...claim, candidates, ...(mayPrepare && { prepare }) } }
  }

  #refileMutation(mutation: Mutation): Mutation {
    const key = decodeKey(mutation.key)
    const definition = this.#registry.find(key)
    const difference = definition && this.#differences?.get(definition.name)
    const writesValue = 'collection' in mutation
    // Without a unique index, a process may still take rows away.
    if (difference !== undefined && (writesValue || difference.reads)) throw difference.error
    if (!writesValue) return mutation
    const collection = this.collectionOf(key)
    if (definition !== undefined && collection !== null && collection !== definition.name)
      throw keyOfAnother(definition, collection, mutation.key)
    if (collection !== null && this.#indexed.has(collection) && writesBytes(mutation))
      throw bytesUnderIndex(key, collection)
    return { ...mutation, collection }
  }
}

/** Whether a mutation stores bytes, or a KvU64, which is kept as such. */
function writesBytes(mutation: Mutation): boolean {
  return mutation.type === 'set' ? typeof mutation.stored.value !== 'string' : mutation.type !== 'delete'
}

/** No index may contain bytes: an engine takes some for its own binary JSON. */
export function bytesUnderIndex(key: Key, collection: string | null): ValidationError {
  const message = `a Uint8Array or a KvU64 has no fields, and '${collection}' has indexes over them: store it in a field of an object`
  return new ValidationError(key, [{ message }])
}

function keyOfAnother({ name, pattern }: AnyDefinition, owner: string, key: Uint8Array): MigrationError {
  return new MigrationError(
    `The key ${patternText(decodeKey(key))} belongs to '${owner}' in the database, because its pattern is more specific than ${patternText(pattern)} of '${name}': declare '${owner}' too`,
    { repository: name },
  )
}
