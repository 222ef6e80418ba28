import { serialize } from '../value/structured-clone.ts'
import type { RawMessage } from './backend.ts'
import type { KvEnqueueOptions } from './kv.types.ts'

const longestDelay = 30 * 24 * 60 * 60_000
const mostIntervals = 5
const longestInterval = 60 * 60_000

/** Throws a TypeError for options that Deno KV would refuse. */
export function checkEnqueueOptions({ delay = 0, backoffSchedule = [] }: KvEnqueueOptions): void {
  if (delay < 0) throw new TypeError(`Delay must be >= 0: received ${delay}`)
  if (delay > longestDelay) throw new TypeError(`Delay cannot be greater than 30 days: received ${delay}`)
  if (Number.isNaN(delay)) throw new TypeError('Delay cannot be NaN')
  if (backoffSchedule.length > mostIntervals)
    throw new TypeError(`Invalid backoffSchedule, max ${mostIntervals} intervals allowed`)
  for (const [index, interval] of backoffSchedule.entries()) {
    if (!(interval >= 0 && interval <= longestInterval))
      throw new TypeError(`Invalid backoffSchedule, interval at index ${index} is invalid`)
  }
}

/** A message is always a structured clone, even if it is bytes or a KvU64. */
export function toMessage(message: unknown): RawMessage['payload'] {
  return { kind: 'v8', bytes: serialize(message) }
}
