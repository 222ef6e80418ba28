import type { ArithmeticMutation, SetMutation } from '../commit/write.ts'
import type { Read, ResultOf, Session } from '../driver/driver.ts'
import { paced } from '../time/give-way.ts'
import { ForwardingStore } from './forwarding-store.ts'
import type { RowStore, SettledOutcome } from './row-store.ts'
import { isShort, tracedRead } from './traced-read.ts'

/** A read-only store. All reads see the state of its session. */
export class SnapshotStore extends ForwardingStore implements RowStore {
  readonly writes = false
  readonly #session: Session
  #over = false

  constructor(store: RowStore, session: Session) {
    super(store)
    this.#session = session
  }

  assertOpen(): void {
    if (this.#over) {
      throw new TypeError(
        'This snapshot has ended: use the view only inside its function, and await every call',
      )
    }
    this.store.assertOpen()
  }

  /** Whether it belongs to this database, and has not ended yet. */
  isOpenOn(store: RowStore): boolean {
    return this.store === store && !this.#over
  }

  async read<R extends Read>(request: R, signal?: AbortSignal): Promise<ResultOf<R>> {
    this.assertOpen()
    return paced(() => tracedRead(this.#session, this.path, request, signal), isShort(request))
  }

  ofOneState<T>(read: (store: RowStore) => Promise<T>): Promise<T> {
    return read(this)
  }

  end(): void {
    this.#over = true
    this.#session.end()
  }

  settle(): undefined {}

  prepareSet(): SetMutation {
    return refuse()
  }

  preparePatch(): SetMutation {
    return refuse()
  }

  prepareChanged(): SetMutation {
    return refuse()
  }

  prepareArithmetic(): ArithmeticMutation {
    return refuse()
  }

  async commit(): Promise<SettledOutcome> {
    return refuse()
  }
}

function refuse(): never {
  throw new TypeError('A snapshot only reads: write with the database, or read and write in a unit of work')
}
