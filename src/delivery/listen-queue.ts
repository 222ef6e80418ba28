import type { Endable } from '../broadcast/open-streams.ts'
import { DatabaseClosedError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import { encodePrefix } from '../key/codec.ts'
import { prefixRange } from '../key/range.ts'
import { KeyValue } from '../key-value/key-value.ts'
import { StoreAtomicOperation } from '../store/atomic-operation.ts'
import { messageValue, movedKey, type QueuedMessage, queuePrefix } from '../store/queued-message.ts'
import type { Store } from '../store/store.ts'
import { clock } from '../time/clock.ts'
import { emitErrorWarning } from './error-text.ts'
import { type Leased, Leases } from './leases.ts'
import { Pump, type Taken } from './pump.ts'

/** The user's handler. */
type Handler = (value: unknown) => unknown

/** A message under its key. */
interface Stored {
  readonly key: Key
  readonly value: QueuedMessage
  readonly versionstamp: string
}

/**
 * How many milliseconds a message belongs to its listener without a renewal. When a process dies, others get its messages after
 * that.
 */
const lease = 15_000
const atOnce = 100
/** How many milliseconds to wait if a message could not be written under its `keysIfUndelivered`. */
const longestWait = 60_000

/** The leases of the listeners in this process, by database. */
const leasesOf = new WeakMap<Store, Leases>()

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
  readonly #face: KeyValue<readonly []>
  readonly #handler: Handler
  readonly #leases: Leases
  readonly #deliveries = new Set<Delivery>()
  readonly #pump: Pump<Delivery>
  readonly #closed = Promise.withResolvers<void>()

  constructor(store: Store, handler: Handler) {
    this.#store = store
    this.#face = new KeyValue(store)
    this.#handler = handler
    const leases = leasesOf.get(store) ?? new Leases(() => store.now())
    leasesOf.set(store, leases)
    this.#leases = leases
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
    const until = this.#store.now() + lease
    const due = { prefix: queuePrefix, end: [...queuePrefix, now + 1] } as const
    const messages = (await Array.fromAsync(this.#face.list(due, { limit: most }))) as Stored[]
    const taken = await Promise.all(
      messages.map((message) => this.#takeOne(message, until, since).catch(untaken)),
    )
    const jobs = taken.filter((delivery) => delivery !== null)
    if (jobs.length > 0) return { jobs, nextDue: jobs.length === most ? null : now }
    const [next] = (await Array.fromAsync(this.#face.list({ prefix: queuePrefix }, { limit: 1 }))) as Stored[]
    return { jobs, nextDue: next === undefined ? null : (next.key[2] as number) }
  }

  /** `null` if another listener was faster, or if the message has no deliveries left because the process died during the last one. */
  async #takeOne(message: Stored, until: number, since: number): Promise<Delivery | null> {
    const { value } = message
    if (value.deliveries > value.backoffSchedule.length) {
      await giveUp(this.#store, message)
      return null
    }
    const delivery = new Delivery(this.#store, message)
    if (!(await delivery.move(until, { ...value, deliveries: value.deliveries + 1 }))) return null
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

/** A message that a listener works on. */
class Delivery implements Leased {
  readonly lease = lease
  readonly #store: Store
  #stored: Stored
  #isOurs = true

  constructor(store: Store, stored: Stored) {
    this.#store = store
    this.#stored = stored
  }

  get until(): number {
    return this.#stored.key[queuePrefix.length] as number
  }

  get message(): QueuedMessage {
    return this.#stored.value
  }

  /** Makes it due at another time; false if another listener has taken it. */
  async move(due: number, value: QueuedMessage): Promise<boolean> {
    const key = movedKey(this.#stored.key, due)
    const result = await removal(this.#store, this.#stored).set(key, value).commit()
    if (result.ok) this.#stored = { key, value, versionstamp: result.versionstamp }
    return result.ok
  }

  async renew(): Promise<boolean> {
    return this.move(this.#store.now() + lease, this.message)
  }

  lost(): void {
    this.#isOurs = false
  }

  async done(): Promise<void> {
    if (this.#isOurs) await removal(this.#store, this.#stored).commit()
  }

  async failed(): Promise<void> {
    if (!this.#isOurs) return
    const { backoffSchedule, deliveries } = this.message
    const wait = backoffSchedule[deliveries - 1]
    if (wait === undefined) await giveUp(this.#store, this.#stored)
    else await this.move(this.#store.now() + wait, this.message)
  }

  /** Undoes the take: this delivery does not count. */
  async giveBack(): Promise<void> {
    const { message } = this
    await this.move(this.#store.now(), { ...message, deliveries: message.deliveries - 1 })
  }
}

/** Removes a message, unless another has taken it since. */
function removal(store: Store, { key, versionstamp }: Stored): StoreAtomicOperation {
  return new StoreAtomicOperation(store).check({ key, versionstamp }).delete(key)
}

/** Writes a message that no listener could handle under the keys that its sender chose. */
async function giveUp(store: Store, stored: Stored): Promise<void> {
  const operation = removal(store, stored)
  try {
    for (const key of stored.value.keysIfUndelivered) operation.set(key, messageValue(stored.value))
    await operation.commit()
  } catch (error) {
    // The schema of such a key refuses it: the message stays in the queue.
    warn(error)
    await new Delivery(store, stored).move(store.now() + longestWait, stored.value)
  }
}

/** This message is tried again at its next time; the others are taken. */
function untaken(error: unknown): null {
  warn(error)
  return null
}

function warn(error: unknown): void {
  if (error instanceof DatabaseClosedError) return
  emitErrorWarning(error, {
    type: 'QueueWarning',
    code: 'QUEUE_LISTENER',
  })
}
