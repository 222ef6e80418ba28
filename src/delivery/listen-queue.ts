import type { Endable } from '../broadcast/open-streams.ts'
import type { KeyedRow } from '../driver/driver.ts'
import { encodePrefix } from '../key/codec.ts'
import { prefixRange } from '../key/range.ts'
import { messageValue, queuePrefix } from '../store/queued-message.ts'
import type { Store } from '../store/store.ts'
import { clock } from '../time/clock.ts'
import { Delivery, giveUp } from './delivery.ts'
import { Leases } from './leases.ts'
import { PassedOver } from './passed-over.ts'
import { Pump, type Taken } from './pump.ts'
import { dueAfter, dueRows, storedMessage } from './stored-messages.ts'
import { warn } from './warn.ts'

/** The user's handler. */
type Handler = (value: unknown) => unknown

const atOnce = 100

/** What the listeners of one database in this process share. */
interface Shared {
  readonly leases: Leases
  readonly passedOver: PassedOver
}

const sharedOf = new WeakMap<Store, Shared>()

/** Delivers the messages of the queue to a handler, until the database is closed or the signal is aborted. */
export async function listenQueue(
  store: Store,
  handler: Handler,
  signal: AbortSignal | undefined,
): Promise<void> {
  await new Listener(store, handler).listen(signal)
}

class Listener implements Endable {
  readonly #store: Store
  readonly #handler: Handler
  readonly #leases: Leases
  readonly #passedOver: PassedOver
  readonly #deliveries = new Set<Delivery>()
  readonly #pump: Pump<Delivery>
  readonly #closed = Promise.withResolvers<void>()

  constructor(store: Store, handler: Handler) {
    this.#store = store
    this.#handler = handler
    const shared = sharedIn(store)
    this.#leases = shared.leases
    this.#passedOver = shared.passedOver
    this.#pump = new Pump({
      hub: store.hub,
      now: () => store.now(),
      ranges: [prefixRange(encodePrefix(queuePrefix))],
      concurrency: atOnce,
      take: (most) => this.#leases.inTurn((now) => this.#take(most, now)),
      work: (delivery) => this.#deliver(delivery),
      onError: warn,
    })
  }

  async listen(signal: AbortSignal | undefined): Promise<void> {
    const stop = () => this.#pump.stop()
    const forget = this.#store.hub.streams.add(this)
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    try {
      await this.#pump.run()
      await Promise.race([this.#pump.settled(), this.#closed.promise])
    } finally {
      signal?.removeEventListener('abort', stop)
      forget()
    }
  }

  /** The database is closing, and this is the last chance to write: messages in hand go back at once. */
  end(): void {
    for (const delivery of this.#deliveries) {
      void delivery.giveBack().catch(() => {})
      void this.#leases.release(delivery)
    }
    this.#pump.stop()
    this.#closed.resolve()
  }

  async #take(most: number, now: number): Promise<Taken<Delivery>> {
    const since = clock()
    const rows = await dueRows(this.#store, this.#passedOver, now, most)
    const taken = await this.#passedOver.takeEach(rows, (row) => this.#takeOne(row, since))
    const jobs = taken.filter((delivery) => delivery !== null)
    if (jobs.length === most) return { jobs, nextDue: null }
    if (rows.length > 0) return { jobs, nextDue: now }
    const times = [this.#passedOver.next(now), await dueAfter(this.#store, now)].filter(
      (time) => time !== null,
    )
    return { jobs, nextDue: times.length === 0 ? null : Math.min(...times) }
  }

  /** `null` if another listener was faster, or if the message has no deliveries left because the process died during the last one. */
  async #takeOne(row: KeyedRow, since: number): Promise<Delivery | null> {
    const stored = await storedMessage(this.#store, row)
    const { value } = stored
    if (value.deliveries > value.backoffSchedule.length) {
      await giveUp(this.#store, stored)
      return null
    }
    const delivery = new Delivery(this.#store, stored)
    const taken = { ...value, deliveries: value.deliveries + 1 }
    if (!(await delivery.move(this.#store.now() + delivery.lease, taken))) return null
    this.#deliveries.add(delivery)
    this.#leases.keep(delivery, since)
    return delivery
  }

  async #deliver(delivery: Delivery): Promise<void> {
    let isDone = true
    try {
      await this.#handler(messageValue(delivery.message))
    } catch (error) {
      isDone = false
      warn(error)
    }
    await this.#leases.settle(delivery)
    this.#deliveries.delete(delivery)
    await (isDone ? delivery.done() : delivery.failed())
  }
}

function sharedIn(store: Store): Shared {
  let shared = sharedOf.get(store)
  if (shared === undefined) {
    const now = () => store.now()
    shared = { leases: new Leases(now), passedOver: new PassedOver(now, warn) }
    sharedOf.set(store, shared)
  }
  return shared
}
