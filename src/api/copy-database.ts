// Copying walks once from source to target, whatever their engines: rows, then the log, then a check of both.
import { createHash, type Hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { checkBoolean, checkWholeNumber } from '../arguments/option-values.ts'
import { sameForm } from '../commit/row.ts'
import { DatabaseOpenError, MigrationError, type RefusedRows, StorageError } from '../contract/errors.ts'
import type { CopiedRow, CopiedState, CopySource, CopyTarget, RefusedRow } from '../driver/copy.ts'
import type { LoggedCommit } from '../driver/driver.ts'
import type { Engine } from '../driver/engine.ts'
import { type Located, locateKept } from '../engines/engines.ts'
import { keyLabel } from '../key/key-label.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'

/** The last argument of `Valkeyrie.copy`. */
export interface CopyOptions {
  /** Replace an existing database. Default `false`: an existing database is never touched. */
  readonly overwrite?: boolean | undefined
  /** How many milliseconds to wait for others that are in the way. Default 5,000. */
  readonly busyTimeout?: number | undefined
  /** Gets how much is done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** Stops it: the promise rejects with the signal's reason, and nothing was copied. */
  readonly signal?: AbortSignal | undefined
}

/** The result of `Valkeyrie.copy`. */
export interface Copied {
  /** The source: an absolute path, or an address without user, password and options. */
  readonly from: string
  /** The target, in the same form. */
  readonly to: string
  /** How many values were copied, including expired ones that are not removed yet. */
  readonly rows: number
  /** How many commits the log has: changes can be followed from any of them. */
  readonly commits: number
  /** The newest versionstamp, from which the copy continues; `null` if nothing was ever committed. */
  readonly versionstamp: string | null
  /**
   * SHA-256 of the keys, repositories, values, versions and expiries of all rows, in hexadecimal. Databases with the same digest
   * have the same rows, whichever engine keeps them.
   */
  readonly digest: string
  /** The names of other tables, which were not copied: those of migrations and of other programs. */
  readonly left: readonly string[]
}

const mostRowsListed = 100
const longestShown = 200

/** Copies the state of a database at one moment to another address, of any engine. */
export async function copyDatabase(
  from: string | URL,
  to: string | URL,
  options: CopyOptions = {},
): Promise<Copied> {
  const source = locateKept(from, 'copy')
  const target = locateKept(to, 'copy')
  checkOptions(options)
  const { signal, busyTimeout = 5_000, overwrite = false, onProgress } = options
  for (const { engine, address } of [source, target]) engine.assertRuntime(address)
  signal?.throwIfAborted()
  if (source.engine === target.engine && source.engine.copiesByBackup)
    return backedUp(source, target, { signal, busyTimeout, overwrite, onProgress })
  if (source.address === target.address) {
    const shown = target.engine.shown(target.address)
    throw new DatabaseOpenError(shown, 'it is the database to copy: name another one')
  }
  await using opened = closing(
    await source.engine.copyFrom(source.address, checkedOf(source.engine, busyTimeout)),
  )
  const places = { busyTimeout, overwrite }
  await using begun = closing(
    await target.engine.copyInto(target.address, checkedOf(target.engine, busyTimeout), places),
  )
  const copying = new Copying(opened.it, begun.it, {
    ...options,
    isOfOneEngine: source.engine === target.engine,
  })
  return { ...placesOf(source, target), ...(await copying.run()) }
}

function checkOptions(options: CopyOptions): void {
  checkOptionNames(options, ['overwrite', 'busyTimeout', 'onProgress', 'signal'], 'copy')
  checkSignal(options, 'copy')
  const { overwrite, busyTimeout, onProgress } = options
  checkWholeNumber(busyTimeout, 'busyTimeout', 0)
  checkBoolean(overwrite, 'overwrite')
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new TypeError('onProgress must be a function, such as (done, total) => …')
}

function checkedOf(engine: Engine, busyTimeout: number) {
  return engine.checkOptions({ busyTimeout }) as never
}

function placesOf(source: Located, target: Located): Pick<Copied, 'from' | 'to'> {
  return { from: source.engine.shown(source.address), to: target.engine.shown(target.address) }
}

function closing<T extends { close(): Promise<void> }>(it: T) {
  return { it, [Symbol.asyncDispose]: () => it.close() }
}

/** Between two addresses of an engine that can back up, a copy is a backup: it includes the tables of other programs. */
async function backedUp(
  source: Located,
  target: Located,
  options: CopyOptions & { readonly busyTimeout: number },
): Promise<Copied> {
  const { engine } = source
  const { rows, versionstamp } = await engine.backUp(source.address, target.address, options)
  await using made = closing(await engine.copyFrom(target.address, checkedOf(engine, options.busyTimeout)))
  const { commits } = await made.it.state()
  const digest = createHash('sha256')
  for await (const page of made.it.rows()) for (const row of page.rows) digestRow(digest, row)
  return {
    ...placesOf(source, target),
    rows,
    commits,
    versionstamp,
    digest: digest.digest('hex'),
    left: [],
  }
}

interface CopyingOptions extends CopyOptions {
  readonly isOfOneEngine: boolean
}

/** A copy from one engine to another, while it runs. */
class Copying {
  readonly #source: CopySource
  readonly #target: CopyTarget
  readonly #options: CopyingOptions
  readonly #refused = new Map<string, { rows: number; readonly samples: string[] }>()
  #done = 0
  #total = 0

  constructor(source: CopySource, target: CopyTarget, options: CopyingOptions) {
    this.#source = source
    this.#target = target
    this.#options = options
  }

  async run(): Promise<Omit<Copied, 'from' | 'to'>> {
    const state = this.#kept(await this.#source.state())
    // Each row is copied, then read again.
    this.#total = 2 * state.rows
    this.#tell(0)
    await this.#target.begin(state)
    for await (const { rows, unreadable } of this.#source.rows()) {
      this.#refuse([...unreadable, ...(await this.#target.store(rows))])
      this.#tell(rows.length + unreadable.length)
    }
    for await (const commits of this.#source.commits()) {
      const damaged = commits.filter(({ changes }) => changes === null)
      this.#refuse(damaged.map(damagedCommit))
      await this.#target.append(commits.filter(({ changes }) => changes !== null))
      this.#tell(0)
    }
    this.#throwRefused()
    const digest = await this.#checkRows()
    await this.#checkCommits()
    await this.#checkState(state)
    this.#options.signal?.throwIfAborted()
    await this.#target.finish()
    const { rows, commits, version, others: left } = state
    return {
      rows,
      commits,
      versionstamp: version === 0 ? null : formatVersionstamp(version),
      digest,
      left,
    }
  }

  /** The part of the state to copy: migrations of one engine mean nothing to another. */
  #kept(state: CopiedState): CopiedState {
    const { register, others } = state
    if (register === null || this.#options.isOfOneEngine) return state
    return { ...state, register: null, others: [...others, register.table].sort() }
  }

  /** Reads each row of source and target again, side by side; returns the digest of the copy. */
  async #checkRows(): Promise<string> {
    const digest = createHash('sha256')
    const wanted = each(this.#source.rows(), ({ rows }) => rows)
    for await (const { rows } of this.#target.stored.rows()) {
      for (const row of rows) {
        const { value } = await wanted.next()
        if (!isSameRow(value, row)) throw otherwise(`the row ${keyLabel(value?.key ?? row.key)}`)
        digestRow(digest, row)
      }
      this.#tell(rows.length)
    }
    const { value: missing } = await wanted.next()
    if (missing !== undefined) throw otherwise(`the row ${keyLabel(missing.key)}`)
    return digest.digest('hex')
  }

  async #checkCommits(): Promise<void> {
    const wanted = each(this.#source.commits(), (commits) => commits)
    for await (const commits of this.#target.stored.commits()) {
      for (const commit of commits) {
        const { value } = await wanted.next()
        if (!isDeepStrictEqual(plain(value), plain(commit))) throw otherwise(commitLabel(commit))
      }
      this.#tell(0)
    }
    const { value: missing } = await wanted.next()
    if (missing !== undefined) throw otherwise(commitLabel(missing))
  }

  async #checkState(state: CopiedState): Promise<void> {
    const { version, rows, commits, collections, catalog, register } = state
    const stored = await this.#target.stored.state()
    if (stored.version !== version) throw otherwise('the newest version')
    if (stored.rows !== rows || stored.commits !== commits) throw otherwise('the number of rows')
    const { past } = stored.catalog
    if (!isDeepStrictEqual([stored.collections, past], [collections, catalog.past]))
      throw otherwise('what is kept of schemas')
    if (!isDeepStrictEqual(stored.register, register)) throw otherwise('the register of migrations')
  }

  #refuse(rows: readonly RefusedRow[]): void {
    for (const { key, collection, reason } of rows) {
      const name = collection ?? '(none)'
      const found = this.#refused.get(name) ?? { rows: 0, samples: [] }
      found.rows += 1
      if (found.samples.length < mostRowsListed) found.samples.push(`${shortened(key)}: ${reason}`)
      this.#refused.set(name, found)
    }
  }

  #throwRefused(): void {
    if (this.#refused.size === 0) return
    const refused: RefusedRows[] = [...this.#refused].map(([repository, found]) => ({ repository, ...found }))
    const lines = refused.flatMap(({ rows, samples }) => {
      const more = rows - samples.length
      return more === 0 ? samples : [...samples, `and ${more.toLocaleString('en')} more`]
    })
    throw new MigrationError(
      `Nothing was copied, because these rows cannot be: change or delete them, and copy again\n${lines.map((line) => `  ${line}`).join('\n')}`,
      { refused },
    )
  }

  #tell(rows: number): void {
    this.#options.signal?.throwIfAborted()
    this.#done += rows
    this.#options.onProgress?.(this.#done, this.#total)
  }
}

async function* each<P, T>(
  pages: AsyncIterable<P>,
  items: (page: P) => readonly T[],
): AsyncGenerator<T, undefined> {
  for await (const page of pages) yield* items(page)
}

function shortened(key: string): string {
  return key.length > longestShown ? `${key.slice(0, longestShown)}…` : key
}

function damagedCommit(commit: LoggedCommit): RefusedRow {
  return { key: commitLabel(commit), collection: null, reason: 'what it has changed cannot be read' }
}

function commitLabel({ version }: LoggedCommit): string {
  return `the commit ${formatVersionstamp(version)}`
}

function otherwise(what: string): StorageError {
  return new StorageError('COPY', `The copy differs from its source in ${what}, so nothing was copied`)
}

function isSameRow(a: CopiedRow | undefined, b: CopiedRow): boolean {
  return (
    a !== undefined &&
    a.version === b.version &&
    a.expiresAt === b.expiresAt &&
    a.collection === b.collection &&
    Buffer.compare(a.key, b.key) === 0 &&
    sameForm(a, b)
  )
}

/** A commit with its bytes as one class, whichever engine has read it. */
function plain(commit: LoggedCommit | undefined) {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  const changes = commit?.changes?.map(({ type, key, stored }) => {
    const value =
      stored === undefined || typeof stored.value === 'string' ? stored?.value : text(stored.value)
    return [type, text(key), value, stored?.encoding, stored?.types]
  })
  return [commit?.version, commit?.at, changes]
}

function digestRow(
  digest: Hash,
  { key, value, collection, encoding, types, version, expiresAt }: CopiedRow,
): void {
  const sizes = [key.length, typeof value, value.length]
  digest.update(JSON.stringify([...sizes, collection, encoding, types, version, expiresAt]))
  digest.update(key).update(value)
}
