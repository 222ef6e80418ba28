import { checkOptionNames } from '../arguments/option-names.ts'
import type { SetMutation } from '../commit/write.ts'
import type { Key } from '../contract/key.types.ts'
import { latestTime } from '../time/latest-time.ts'
import { encodeValue } from '../value/codec.ts'
import { KvU64 } from '../value/kv-u64.ts'
import type { RowStore } from './row-store.ts'

/** When to deliver a message of the queue, and what to do if no listener can handle it. */
export interface EnqueueOptions {
  /** How many milliseconds from now to wait before delivering it. Default 0. */
  readonly delay?: number | undefined
  /** Keys under which to write its value when the last delivery has failed. Default: none, so it is dropped. */
  readonly keysIfUndelivered?: readonly Key[] | undefined
  /**
   * How many milliseconds to wait before each further delivery; after the first one, there are as many as numbers. Default `[100,
   * 1000, 5000, 30000, 60000]`; `[]` delivers once.
   */
  readonly backoffSchedule?: readonly number[] | undefined
}

/** A message, as it is stored. */
export interface QueuedMessage {
  readonly value: unknown
  /** Whether the value is a KvU64, which cannot be part of an object: then its bigint is stored. */
  readonly isU64: boolean
  readonly keysIfUndelivered: readonly Key[]
  readonly backoffSchedule: readonly number[]
  /** How many deliveries have begun. */
  readonly deliveries: number
}

/**
 * The first parts of the key of every message. The time of its delivery follows, in milliseconds since the epoch, then what
 * distinguishes messages of the same time.
 */
export const queuePrefix = ['valkeyrie', 'queue'] as const

const defaultBackoff: readonly number[] = [100, 1_000, 5_000, 30_000, 60_000]

let enqueued = 0

/** A key for a message due at a time, after earlier ones of this process for the same time. */
function messageKey(due: number): Key {
  return [...queuePrefix, due, `${String(enqueued++).padStart(12, '0')} ${crypto.randomUUID()}`]
}

/** The key of the same message, due at another time. */
export function movedKey(key: Key, due: number): Key {
  return [...queuePrefix, due, key[3]!]
}

/**
 * The mutation that stores a message; a promise of it if a schema checks its value. Throws if an option is invalid, or if a schema
 * of the user matches the keys of the queue.
 */
export function prepareMessage(
  store: RowStore,
  value: unknown,
  options: EnqueueOptions = {},
): SetMutation | Promise<SetMutation> {
  checkOptionNames(options, ['delay', 'keysIfUndelivered', 'backoffSchedule'], 'enqueue')
  const { delay = 0, keysIfUndelivered = [], backoffSchedule = defaultBackoff } = options
  const now = store.now()
  const due = Math.ceil(now + checkDelay(delay, 'delay', now))
  if (!Array.isArray(backoffSchedule))
    throw new TypeError('backoffSchedule must be an array of milliseconds, such as [100, 1000]')
  for (const wait of backoffSchedule) checkDelay(wait, 'each number of backoffSchedule', now)
  if (!Array.isArray(keysIfUndelivered))
    throw new TypeError("keysIfUndelivered must be an array of keys, such as [['failed', 'mail']]")
  const message: QueuedMessage = {
    value: value instanceof KvU64 ? value.value : value,
    isU64: value instanceof KvU64,
    keysIfUndelivered: keysIfUndelivered.map((key: Key) => {
      store.encodeKey(key)
      return key.slice()
    }),
    backoffSchedule: [...backoffSchedule],
    deliveries: 0,
  }
  const key = messageKey(due)
  const taken = store.registry.find(key)
  if (taken !== undefined) {
    throw new TypeError(
      `The pattern of '${taken.name}' matches the keys of the queue, ['${queuePrefix.join("', '")}', time, id]: give it another literal as its first part`,
    )
  }
  const mutation = prepareAs(store, key, message)
  if (message.keysIfUndelivered.length === 0) return mutation
  // Reports now what could not be written later.
  const writes = message.keysIfUndelivered.map((key) => store.prepareSet(key, value))
  return Promise.all([mutation, ...writes]).then(([prepared]) => prepared)
}

/** Names what is wrong by its path in the value, not in the message around it. */
function prepareAs(store: RowStore, key: Key, message: QueuedMessage): SetMutation | Promise<SetMutation> {
  const refused = (error: unknown): never => {
    encodeValue(messageValue(message), store.format)
    throw error
  }
  try {
    const mutation = store.prepareSet(key, message)
    return mutation instanceof Promise ? mutation.catch(refused) : mutation
  } catch (error) {
    return refused(error)
  }
}

/** Whether this is a message under its key, and not what a user has written there. */
export function isQueuedMessage(key: Key, value: unknown): value is QueuedMessage {
  const [due, id, ...more] = key.slice(queuePrefix.length)
  if (!Number.isFinite(due) || typeof id !== 'string' || more.length > 0) return false
  if (typeof value !== 'object' || value === null) return false
  const { keysIfUndelivered, backoffSchedule, deliveries } = value as Partial<QueuedMessage>
  return Array.isArray(keysIfUndelivered) && Array.isArray(backoffSchedule) && Number.isInteger(deliveries)
}

/** The value of a message, as it was enqueued. */
export function messageValue({ value, isU64 }: QueuedMessage): unknown {
  return isU64 ? new KvU64(value as bigint) : value
}

function checkDelay(delay: unknown, what: string, now: number): number {
  if (typeof delay !== 'number') throw new TypeError(`${what} must be a number of milliseconds`)
  if (!(delay >= 0))
    throw new RangeError(`${what} must be a number of milliseconds, 0 or more (got ${delay})`)
  const most = latestTime - now
  if (delay > most)
    throw new RangeError(`${what} must be at most ${most} ms now (got ${delay}): no Date is later`)
  return delay
}
