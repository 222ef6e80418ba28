import type { SnapshotExpiredError } from '../../errors.ts'
import type { Read, ResultOf, Session, SessionState, SessionUse, ShownRow } from '../driver.ts'
import type { Run } from './retry-busy.ts'
import { performRead } from './row-reads.ts'
import type { Snapshot, Snapshots } from './snapshots.ts'

/** A session on a file: its first read begins a transaction on a connection of its own. */
export class FileSession implements Session {
  readonly rows: ShownRow[] = []
  readonly #snapshots: Snapshots
  readonly #use: SessionUse
  readonly #run: Run
  #snapshot: Snapshot | null = null
  #state: SessionState | null = null
  /** Milliseconds since the epoch. */
  #at = 0
  #expired: SnapshotExpiredError | null = null
  #over = false

  constructor(snapshots: Snapshots, use: SessionUse, run: Run) {
    this.#snapshots = snapshots
    this.#use = use
    this.#run = run
  }

  read<R extends Read>(request: R): Promise<ResultOf<R>> {
    return this.#run(() => {
      const isFirst = this.#snapshot === null
      const { connection } = this.#held()
      try {
        const result = performRead(this.#reads(request, connection), request, this.#at)
        connection.catalog.assertFits(request)
        return result
      } catch (error) {
        // Its state is fixed by what it reads, and it has read nothing.
        if (isFirst) this.#release()
        throw error
      }
    })
  }

  show(rows: readonly ShownRow[]): void {
    for (const row of rows) this.rows.push(row)
  }

  async state(): Promise<SessionState> {
    if (this.#state === null) await this.#run(() => this.#keepState())
    return this.#state!
  }

  end(): void {
    this.#over = true
    this.#release()
  }

  expire(error: SnapshotExpiredError): void {
    this.#keepState()
    this.#expired = error
    this.#snapshot?.connection.shown.release(this)
    this.#snapshot = null
  }

  #reads(request: Read, { reads, shown }: Snapshot['connection']) {
    return this.rows.length === 0 || isByKey(request) ? reads : shown.readsOf(this)
  }

  #keepState(): void {
    this.#state ??= { version: this.#held().version, at: this.#at }
  }

  #held(): Snapshot {
    if (this.#expired !== null) throw this.#expired
    if (this.#over) throw new Error('The session is over')
    if (this.#snapshot === null) {
      this.#at = Date.now()
      this.#snapshot = this.#snapshots.hold(this, this.#use)
    }
    return this.#snapshot
  }

  #release(): void {
    const snapshot = this.#snapshot
    this.#snapshot = null
    if (snapshot === null) return
    snapshot.connection.shown.release(this)
    this.#snapshots.release(snapshot, this)
  }
}

export type KeyRead = Extract<Read, { readonly type: 'get' | 'getMany' | 'exists' }>

/** Whether it gives what is stored under keys, whatever the session has been shown. */
export function isByKey(request: Read): request is KeyRead {
  const { type } = request
  return type === 'get' || type === 'getMany' || type === 'exists'
}
