import { formatKey } from '../contract/format-key.ts'
import type { Key } from '../contract/key.types.ts'
import type { KeyedRow } from '../driver/driver.ts'
import { selectorRange } from '../key/range.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import { ListIterator } from '../store/list-iterator.ts'
import { isQueuedMessage, type QueuedMessage, queuePrefix } from '../store/queued-message.ts'
import type { Store } from '../store/store.ts'
import type { PassedOver } from './passed-over.ts'

/** A message under its key. */
export interface StoredMessage {
  readonly key: Key
  readonly value: QueuedMessage
  readonly versionstamp: string
}

const largestPage = 1_000

/** Up to `most` rows of messages that are due, in the order of their times, without those that are to be left alone. */
export async function dueRows(
  store: Store,
  passedOver: PassedOver,
  now: number,
  most: number,
): Promise<KeyedRow[]> {
  const range = selectorRange({ prefix: queuePrefix, end: [...queuePrefix, now + 1] })
  const batchSize = Math.min(most + passedOver.size, largestPage)
  const source = { store, range, collection: null, toEntry: (row: KeyedRow) => row }
  const rows: KeyedRow[] = []
  for await (const row of new ListIterator(source, { batchSize })) {
    if (passedOver.isPaused(row)) continue
    if (rows.push(row) === most) break
  }
  return rows
}

/** When the next message is due after that time; null if there is none. */
export async function dueAfter(store: Store, now: number): Promise<number | null> {
  const range = selectorRange({ prefix: queuePrefix, start: [...queuePrefix, now + 1] })
  const scan = { range, collection: null, reverse: false, limit: 1 }
  const [next] = await store.read({ type: 'scan', scan })
  const due = next?.key[queuePrefix.length]
  // Behind all times are the rows that users write there.
  return typeof due === 'number' && Number.isFinite(due) ? due : null
}

/** The message of a row. Rejects if it cannot be decoded here, or is none. */
export async function storedMessage(store: Store, row: KeyedRow): Promise<StoredMessage> {
  const { key, version } = row
  const value = await store.decode(row, key)
  if (!isQueuedMessage(key, value))
    throw new TypeError(`The row under ${formatKey(key)} is no message of the queue: delete it`)
  return { key, value, versionstamp: formatVersionstamp(version) }
}
