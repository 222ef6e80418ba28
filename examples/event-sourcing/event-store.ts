import type { AtomicResult } from 'valkeyrie'
import { retry } from '../optimistic/retry.ts'
import {
  applyEvent,
  nothing,
  type Stock,
  type StockEvent,
  type StockEvents,
  type Warehouse,
} from './warehouse.ts'

/** The state that the events of a stream have come to, and the number of the last one. */
export interface Loaded {
  readonly version: number
  readonly stock: Stock
}

/** Where an append stands in the log: its commit, and how many events that has. */
export interface Appended {
  readonly commit: string
  readonly done: number
}

/** An event with its number in its stream, and the time at which it was appended. */
export interface NumberedEvent {
  readonly number: number
  readonly event: StockEvent
  readonly at: Date
}

export interface EventStoreOptions {
  /** After how many events of a stream to keep a snapshot of its state. Default: 100. */
  readonly snapshotEvery?: number
  /** The time, in milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * Streams of events. An event is numbered in its stream, from 1 on and without gaps, and its number is part of its key. So the
 * order of the keys is the order of the events; the time of day, which stands still for a millisecond and is set back at
 * times, is no more than a remark in the value.
 */
export class EventStore {
  readonly #db: Warehouse
  readonly #snapshotEvery: number
  readonly #now: () => number

  constructor(db: Warehouse, { snapshotEvery = 100, now = Date.now }: EventStoreOptions = {}) {
    this.#db = db
    this.#snapshotEvery = snapshotEvery
    this.#now = now
  }

  /**
   * Appends events behind the event of number `expected`, all or none. Where somebody else has appended there, the result is a
   * conflict: the next number is taken, and what was decided has to be decided anew.
   *
   * `after`: the state that they lead to, to be kept as a snapshot. It is written in the same commit, so none is ever
   * ahead of its stream, nor takes the place of a newer one.
   */
  async append(stream: string, expected: number, events: StockEvents, after?: Stock): Promise<AtomicResult> {
    const { events: rows, snapshots } = this.#db.repositories
    if (expected !== 0 && !(await rows.exists([stream, expected]))) {
      throw new RangeError(`${stream} has no event ${expected} to append behind`)
    }
    const at = new Date(this.#now())
    const operation = this.#db.atomic().check({ key: rows.key([stream, expected + 1]), versionstamp: null })
    for (const [index, event] of events.entries()) {
      operation.set(rows.key([stream, expected + 1 + index]), { event, at })
    }
    if (after !== undefined) {
      operation.set(snapshots.key(stream), { version: expected + events.length, stock: after })
    }
    return operation.commit()
  }

  /** The events of a stream in their order, from the one behind number `after` on. */
  async *read(stream: string, after = 0): AsyncGenerator<NumberedEvent> {
    const rows = this.#db.repositories.events.list({ prefix: [stream], start: [stream, after + 1] })
    for await (const { id, value } of rows) yield { number: Number(id[1]), ...value }
  }

  /** The state of a stream: its snapshot, if there is one, and the events that have come since. */
  async load(stream: string): Promise<Loaded> {
    const { value: snapshot } = await this.#db.repositories.snapshots.get(stream)
    let { version, stock } = snapshot ?? { version: 0, stock: nothing }
    for await (const { number, event } of this.read(stream, version)) {
      stock = applyEvent(stock, event)
      version = number
    }
    return { version, stock }
  }

  /**
   * Decides on the state of a stream, and appends what was decided; again on the newest state after a conflict, so `decide` should
   * do nothing else. A throw of it appends nothing.
   */
  async execute(stream: string, decide: (stock: Stock) => StockEvents): Promise<Appended> {
    let appended: Appended | undefined
    await retry(async () => {
      const { version, stock } = await this.load(stream)
      const events = decide(stock)
      const isDue = (version % this.#snapshotEvery) + events.length >= this.#snapshotEvery
      const after = isDue ? events.reduce(applyEvent, stock) : undefined
      const result = await this.append(stream, version, events, after)
      if (result.ok) appended = { commit: result.versionstamp, done: events.length }
      return result
    })
    return appended!
  }
}
