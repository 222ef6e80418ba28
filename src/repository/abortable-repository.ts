import { type CallOptions, checkCallOptions, checkSignal } from '../arguments/call-options.ts'
import type { Key } from '../contract/key.types.ts'
import type { IdOf, Pattern } from '../key/pattern.types.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import { storeUnder } from '../store/abortable-store.ts'
import type { ExpireOptions, SetOptions } from '../store/expiry.ts'
import type { IfVersionOptions } from '../store/if-version.ts'
import type { ListIterator, ListOptions } from '../store/list-iterator.ts'
import type { RowEntry, RowStore } from '../store/row-store.ts'
import { paceCalls } from '../time/give-way.ts'
import { traceCalls } from '../trace/trace-calls.ts'
import type { KvU64 } from '../value/kv-u64.ts'
import type { UntypedAggregate } from './find/aggregate.ts'
import type { UntypedQuery } from './find/found-rows.ts'
import type { UntypedIdRange } from './find/id-range.ts'
import { StoreRepository } from './repository.ts'
import type { UntypedClaim } from './write/claim-parts.ts'
import type { UntypedUpdate } from './write/update.ts'
import type { UntypedUpsert } from './write/upsert.ts'
import type { UntypedWriteMany } from './write/write-many.ts'

type Id = IdOf<Pattern>

const tracedNames = [
  ...(['get', 'getMany', 'exists', 'findMany', 'findFirst', 'findPage', 'count', 'aggregate'] as const),
  ...(['insert', 'create', 'set', 'update', 'upsert', 'delete', 'touch', 'sum', 'max', 'min'] as const),
  ...(['insertMany', 'updateMany', 'deleteMany', 'claimMany'] as const),
]

/** The repository of one definition whose calls take a signal. */
export class AbortableRepository extends StoreRepository {
  readonly #store: RowStore

  static {
    const subjectOf = (repository: AbortableRepository) => ({
      database: repository.#store.path,
      repository: repository.name,
      pattern: repository.pattern,
    })
    traceCalls(AbortableRepository.prototype, tracedNames, subjectOf, 'rows')
    paceCalls(AbortableRepository.prototype, ['toSQL', 'explain'])
  }

  constructor(store: RowStore, definition: AnyDefinition) {
    super(store, definition)
    this.#store = store
  }

  override get(id?: Id, options?: CallOptions) {
    if (options === undefined) return super.get(id)
    return this.#withSignal(options, 'get', (repository) => repository.get(id))
  }

  override getMany(ids: readonly Id[], options?: CallOptions) {
    if (options === undefined) return super.getMany(ids)
    return this.#withSignal(options, 'getMany', (repository) => repository.getMany(ids))
  }

  override exists(id?: Id, options?: CallOptions) {
    if (options === undefined) return super.exists(id)
    return this.#withSignal(options, 'exists', (repository) => repository.exists(id))
  }

  override list(range: UntypedIdRange = {}, options: ListOptions = {}): ListIterator<RowEntry> {
    const { signal, ...own } = options
    if (signal === undefined) return super.list(range, options)
    checkSignal(options, 'list')
    return new StoreRepository(storeUnder(this.#store, signal), this.definition).list(range, own)
  }

  override findMany(query: UntypedQuery = {}, options?: CallOptions) {
    if (options === undefined) return super.findMany(query)
    return this.#withSignal(options, 'findMany', (repository) => repository.findMany(query))
  }

  override findFirst(query: UntypedQuery = {}, options?: CallOptions) {
    if (options === undefined) return super.findFirst(query)
    return this.#withSignal(options, 'findFirst', (repository) => repository.findFirst(query))
  }

  override findPage(query: UntypedQuery = {}, options?: CallOptions) {
    if (options === undefined) return super.findPage(query)
    return this.#withSignal(options, 'findPage', (repository) => repository.findPage(query))
  }

  override count(query: { readonly where?: unknown; readonly prefix?: Key } = {}, options?: CallOptions) {
    if (options === undefined) return super.count(query)
    return this.#withSignal(options, 'count', (repository) => repository.count(query))
  }

  override aggregate(query: UntypedAggregate, options?: CallOptions) {
    if (options === undefined) return super.aggregate(query)
    return this.#withSignal(options, 'aggregate', (repository) => repository.aggregate(query))
  }

  override toSQL(query: UntypedQuery = {}, options?: CallOptions) {
    if (options === undefined) return super.toSQL(query)
    return this.#withSignal(options, 'toSQL', (repository) => repository.toSQL(query))
  }

  override explain(query: UntypedQuery = {}, options?: CallOptions) {
    if (options === undefined) return super.explain(query)
    return this.#withSignal(options, 'explain', (repository) => repository.explain(query))
  }

  override updateMany(query: UntypedWriteMany, options?: CallOptions) {
    if (options === undefined) return super.updateMany(query)
    return this.#withSignal(options, 'updateMany', (repository) => repository.updateMany(query))
  }

  override deleteMany(query: UntypedWriteMany, options?: CallOptions) {
    if (options === undefined) return super.deleteMany(query)
    return this.#withSignal(options, 'deleteMany', (repository) => repository.deleteMany(query))
  }

  override claimMany(query: UntypedClaim, options?: CallOptions) {
    if (options === undefined) return super.claimMany(query)
    return this.#withSignal(options, 'claimMany', (repository) => repository.claimMany(query))
  }

  override insert(id: Id, value: unknown, options?: ExpireOptions & CallOptions) {
    if (!hasSignal(options)) return super.insert(id, value, options)
    return this.#withSignalAndOwn(options, 'insert', (repository, own) => repository.insert(id, value, own))
  }

  override create(
    value: unknown,
    options: ExpireOptions & CallOptions & { readonly prefix?: Key } = {},
  ): ReturnType<StoreRepository['create']> {
    if (!hasSignal(options)) return super.create(value, options)
    return this.#withSignalAndOwn(options, 'create', (repository, own) => repository.create(value, own))
  }

  override set(id: Id, value: unknown, options?: SetOptions & CallOptions) {
    if (!hasSignal(options)) return super.set(id, value, options)
    return this.#withSignalAndOwn(options, 'set', (repository, own) => repository.set(id, value, own))
  }

  override update(
    id: Id,
    update: UntypedUpdate,
    options?: ExpireOptions & IfVersionOptions & CallOptions,
  ): ReturnType<StoreRepository['update']> {
    if (!hasSignal(options)) return super.update(id, update, options)
    return this.#withSignalAndOwn(options, 'update', (repository, own) => repository.update(id, update, own))
  }

  override upsert(id: Id, values: UntypedUpsert, options?: ExpireOptions & CallOptions) {
    if (!hasSignal(options)) return super.upsert(id, values, options)
    return this.#withSignalAndOwn(options, 'upsert', (repository, own) => repository.upsert(id, values, own))
  }

  override delete(id?: Id, options?: IfVersionOptions & CallOptions) {
    if (!hasSignal(options)) return super.delete(id, options)
    return this.#withSignalAndOwn(options, 'delete', (repository, own) => repository.delete(id, own))
  }

  override touch(id: Id, options: { readonly expireIn: number | null } & CallOptions) {
    if (!hasSignal(options)) return super.touch(id, options)
    return this.#withSignalAndOwn(options, 'touch', (repository, own) => repository.touch(id, own))
  }

  override sum(id: Id, n: bigint | KvU64, options?: ExpireOptions & CallOptions) {
    if (!hasSignal(options)) return super.sum(id, n, options)
    return this.#withSignalAndOwn(options, 'sum', (repository, own) => repository.sum(id, n, own))
  }

  override max(id: Id, n: bigint | KvU64, options?: ExpireOptions & CallOptions) {
    if (!hasSignal(options)) return super.max(id, n, options)
    return this.#withSignalAndOwn(options, 'max', (repository, own) => repository.max(id, n, own))
  }

  override min(id: Id, n: bigint | KvU64, options?: ExpireOptions & CallOptions) {
    if (!hasSignal(options)) return super.min(id, n, options)
    return this.#withSignalAndOwn(options, 'min', (repository, own) => repository.min(id, n, own))
  }

  /** A call whose only option is a signal. */
  async #withSignal<T>(
    options: CallOptions,
    call: string,
    run: (repository: StoreRepository) => Promise<T>,
  ): Promise<T> {
    checkCallOptions(options, call)
    return run(new StoreRepository(storeUnder(this.#store, options.signal), this.definition))
  }

  /** A call that takes options of its own beside the signal, and checks them itself. */
  async #withSignalAndOwn<O extends CallOptions, T>(
    options: O,
    call: string,
    run: (repository: StoreRepository, own: Omit<O, 'signal'>) => Promise<T>,
  ): Promise<T> {
    checkSignal(options, call)
    const { signal, ...own } = options
    return run(new StoreRepository(storeUnder(this.#store, signal), this.definition), own)
  }
}

function hasSignal<O extends CallOptions>(options: O | undefined): options is O {
  return typeof options === 'object' && options !== null && 'signal' in options
}
