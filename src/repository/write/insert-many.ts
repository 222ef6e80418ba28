import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkSignal } from '../../arguments/call-options.ts'
import { checkOptionNames } from '../../arguments/option-names.ts'
import type { SetMutation } from '../../commit/write.ts'
import { KeyExistsError } from '../../contract/errors.ts'
import type { Key } from '../../contract/key.types.ts'
import { decodeKey } from '../../key/codec.ts'
import { keyText } from '../../key/key-text.ts'
import type { IdOf, Pattern } from '../../key/pattern.types.ts'
import { storeUnder } from '../../store/abortable-store.ts'
import type { RowStore } from '../../store/row-store.ts'
import { pauseDue } from '../../time/give-way.ts'
import { itemsUntilAborted } from '../../time/until-aborted.ts'
import type { InsertManyOptions, InsertManyResult } from '../types/repository.types.ts'

type Id = IdOf<Pattern>

const rowsPerCommit = 1_000
/** The most bytes of values in a commit: nothing else runs during one, so large rows share it with fewer others. */
const bytesPerCommit = 1024 * 1024

/** Inserts rows in commits of 1,000, or fewer if they are large, and lets other work run in between. */
export async function insertMany(
  store: RowStore,
  keyOf: (id: Id) => Key,
  items: Iterable<readonly [Id, unknown]> | AsyncIterable<readonly [Id, unknown]>,
  options: InsertManyOptions,
): Promise<InsertManyResult> {
  checkArguments(items, options)
  store.assertOpen()
  const { onProgress, signal, expireIn } = options
  signal?.throwIfAborted()
  const rows = new Batches(storeUnder(store, signal), onProgress)
  const expiry = { expireIn }
  const add = (item: readonly [Id, unknown]): Promise<void> | undefined => {
    if (!Array.isArray(item))
      throw new TypeError("Each item of insertMany must be [id, value], such as ['alice', { name: 'Alice' }]")
    const [id, value] = item
    const mutation = store.prepareSet(keyOf(id), value, expiry)
    return mutation instanceof Promise ? mutation.then((settled) => rows.add(settled)) : rows.add(mutation)
  }
  if (Symbol.iterator in items) {
    let hasPaused = false
    for (const item of items) {
      if (hasPaused) signal?.throwIfAborted()
      const pending = add(item) ?? pauseDue()
      hasPaused = pending !== undefined
      if (hasPaused) await pending
    }
  } else {
    for await (const item of itemsUntilAborted(items, () => signal)) await add(item)
  }
  return { ok: true, count: await rows.end() }
}

function checkArguments(items: unknown, options: InsertManyOptions): void {
  checkOptionNames(options, ['onProgress', 'signal', 'expireIn'], 'insertMany')
  if (
    typeof items !== 'object' ||
    items === null ||
    !(Symbol.iterator in items || Symbol.asyncIterator in items)
  ) {
    throw new TypeError("insertMany takes an iterable of [id, value], such as [['alice', { name: 'Alice' }]]")
  }
  checkSignal(options, 'insertMany')
  const { onProgress } = options
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new TypeError('onProgress of insertMany must be a function of the number of rows')
}

/** Collects rows, and commits them whenever there are enough for a commit. */
class Batches {
  readonly #store: RowStore
  readonly #onProgress: InsertManyOptions['onProgress']
  #batch: SetMutation[] = []
  /** Of the values in the batch. */
  #bytes = 0
  #committed = 0

  /** `store`: refuses commits once the call is aborted. */
  constructor(store: RowStore, onProgress: InsertManyOptions['onProgress']) {
    this.#store = store
    this.#onProgress = onProgress
  }

  /** Gives a promise only if this row fills a batch. */
  add(row: SetMutation): Promise<void> | undefined {
    this.#batch.push(row)
    this.#bytes += row.stored.value.length
    return this.#batch.length === rowsPerCommit || this.#bytes >= bytesPerCommit ? this.#commit() : undefined
  }

  /** Commits the rest. Returns how many rows there were. */
  async end(): Promise<number> {
    if (this.#batch.length > 0) await this.#commit()
    return this.#committed
  }

  async #commit(): Promise<void> {
    const mutations = this.#batch
    this.#batch = []
    this.#bytes = 0
    refuseTwice(mutations)
    const checks = mutations.map(({ key }) => ({ key, version: null }))
    const outcome = await this.#store.commit({ checks, mutations })
    if (outcome.type === 'conflict') throw new KeyExistsError(decodeKey(outcome.conflicts[0]!.key))
    this.#committed += mutations.length
    this.#onProgress?.(this.#committed)
    await nextTurn()
  }
}

/** Throws a KeyExistsError if two rows of a batch have the same key. */
function refuseTwice(rows: readonly SetMutation[]): void {
  const keys = new Set<string>()
  for (const { key } of rows) {
    const text = keyText(key)
    if (keys.has(text)) throw new KeyExistsError(decodeKey(key))
    keys.add(text)
  }
}
