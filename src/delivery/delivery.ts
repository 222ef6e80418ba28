import { StoreAtomicOperation } from '../store/atomic-operation.ts'
import { messageValue, movedKey, type QueuedMessage, queuePrefix } from '../store/queued-message.ts'
import type { Store } from '../store/store.ts'
import type { Leased } from './leases.ts'
import type { StoredMessage } from './stored-messages.ts'
import { warn } from './warn.ts'

/**
 * How many milliseconds a message belongs to its listener without a renewal. When a process dies, others get its messages after
 * that.
 */
const lease = 15_000
/** How many milliseconds to wait if a message could not be written under its `keysIfUndelivered`. */
const longestWait = 60_000

/** A message that a listener works on. */
export class Delivery implements Leased {
  readonly lease = lease
  readonly #store: Store
  #stored: StoredMessage
  #isOurs = true

  constructor(store: Store, stored: StoredMessage) {
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
    const result = await moved(this.#store, this.#stored, due, value)
    if (result !== null) this.#stored = result
    return result !== null
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
function removal(store: Store, { key, versionstamp }: StoredMessage): StoreAtomicOperation {
  return new StoreAtomicOperation(store).check({ key, versionstamp }).delete(key)
}

/** Makes a message due at another time. Resolves to how it is stored then; null if another listener has taken it. */
async function moved(
  store: Store,
  stored: StoredMessage,
  due: number,
  value: QueuedMessage,
): Promise<StoredMessage | null> {
  const key = movedKey(stored.key, due)
  const result = await removal(store, stored).set(key, value).commit()
  return result.ok ? { key, value, versionstamp: result.versionstamp } : null
}

/** Writes a message that no listener could handle under the keys that its sender chose. */
export async function giveUp(store: Store, stored: StoredMessage): Promise<void> {
  const operation = removal(store, stored)
  try {
    for (const key of stored.value.keysIfUndelivered) operation.set(key, messageValue(stored.value))
    await operation.commit()
  } catch (error) {
    // The schema of such a key refuses it: the message stays in the queue.
    await moved(store, stored, store.now() + longestWait, stored.value)
    warn(error)
  }
}
