import type { SnapshotExpiredError } from '../../../contract/errors.ts'
import type { Read, ResultOf, Session, SessionState, SessionUse, ShownRow } from '../../driver.ts'
import type { Run } from '../file/retry-busy.ts'
import { performRead } from '../reads/row-reads.ts'
import type { Slices } from '../rows/row-slices.ts'
import { mayLast, type SlicedReads } from './sliced-reads.ts'
import type { Snapshot, Snapshots } from './snapshots.ts'

/** A session on a file. Its first read begins a transaction on a connection of its own. */
export class FileSession implements Session {
  readonly isLost = false
  readonly rows: ShownRow[] = []
  readonly #snapshots: Snapshots
  readonly #sliced: SlicedReads
  readonly #use: SessionUse
  readonly #run: Run
  #snapshot: Snapshot | null = null
  #state: SessionState | null = null
  /** Milliseconds since the epoch. */
  #at = 0
  #expired: SnapshotExpiredError | null = null
  #over = false
  /** The rows that it is reading. */
  #slices: Slices | null = null

  constructor(snapshots: Snapshots, sliced: SlicedReads, use: SessionUse, run: Run) {
    this.#snapshots = snapshots
    this.#sliced = sliced
    this.#use = use
    this.#run = run
  }

  read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    return this.#run(() => this.#perform(request, signal)) as Promise<ResultOf<R>>
  }

  #perform<R extends Read>(request: R, signal: AbortSignal | undefined): ResultOf<R> | Promise<ResultOf<R>> {
    const isFirst = this.#snapshot === null
    const snapshot = this.#held()
    if (snapshot.whenFree !== undefined) return snapshot.whenFree.then(() => this.read(request, signal))
    const { connection } = snapshot
    try {
      const reads = this.#reads(request, connection)
      const now = this.#at
      if (mayLast(request, reads)) {
        const read = { connection, reads, request, now, signal }
        return this.#sliced.read(read, this.#owner(snapshot)) as ResultOf<R> | Promise<ResultOf<R>>
      }
      const result = performRead(reads, request, now)
      connection.catalog.assertFits(request)
      return result
    } catch (error) {
      // The first read fixes its state, and nothing was read yet.
      if (isFirst) this.#release()
      throw error
    }
  }

  #owner(snapshot: Snapshot) {
    return {
      keep: (slices: Slices) => {
        this.#slices = slices
        snapshot.occupy(slices)
      },
      assertWanted: () => void this.#held(),
      giveBack: (slices: Slices) => {
        if (this.#slices === slices) this.#slices = null
        snapshot.free(slices)
      },
    }
  }

  show(rows: readonly ShownRow[]): void {
    for (const row of rows) this.rows.push(row)
  }

  async state(): Promise<SessionState> {
    await this.#snapshot?.whenFree
    if (this.#state === null) await this.#run(() => this.#keepState())
    return this.#state!
  }

  end(): void {
    this.#over = true
    this.#release()
  }

  expire(error: SnapshotExpiredError): void {
    this.#stop()
    this.#keepState()
    this.#expired = error
    this.#leave()
  }

  #reads(request: Read, { reads, shown }: Snapshot['connection']) {
    return this.rows.length === 0 || isByKey(request) ? reads : shown.readsOf(this)
  }

  #keepState(): void {
    this.#state ??= { version: this.#held().version, at: this.#at }
  }

  #held(): Snapshot {
    if (this.#expired !== null) throw this.#expired
    if (this.#over)
      throw new TypeError('The unit of work or the snapshot has ended: await every call inside its function')
    if (this.#snapshot === null) {
      this.#at = Date.now()
      this.#snapshot = this.#snapshots.hold(this, this.#use)
    }
    return this.#snapshot
  }

  /** Ends the reading of a query. */
  #stop(): void {
    if (this.#slices !== null) this.#snapshot?.free(this.#slices)
  }

  #release(): void {
    this.#stop()
    const snapshot = this.#leave()
    if (snapshot !== null) this.#snapshots.release(snapshot, this)
  }

  /** Gives up the snapshot without closing it, and returns it. */
  #leave(): Snapshot | null {
    const snapshot = this.#snapshot
    this.#snapshot = null
    if (snapshot === null) return null
    const { shown } = snapshot.connection
    // The connection of a shared snapshot may be busy with somebody else's query.
    if (snapshot.whenFree === undefined) shown.release(this)
    else shown.disown(this)
    return snapshot
  }
}

export type KeyRead = Extract<Read, { readonly type: 'get' | 'getMany' | 'exists' }>

/** Whether it returns what is stored under keys, whatever the session was shown. */
export function isByKey(request: Read): request is KeyRead {
  const { type } = request
  return type === 'get' || type === 'getMany' || type === 'exists'
}
