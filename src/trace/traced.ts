import type { TracingChannel } from 'node:diagnostics_channel'
import { KvError } from '../contract/errors.ts'
import type { TraceMessage } from './channels.ts'

/**
 * Runs `begin` and publishes it on a channel, as Node.js does for a call that returns a promise. Node's `tracePromise` would also
 * publish the result and the error, which contain values and keys. `settled` adds to the message what may be published of the
 * result.
 */
export function traced<T, M extends TraceMessage>(
  channel: TracingChannel<M, M>,
  message: M,
  begin: () => Promise<T>,
  settled: (message: M, result: T) => void,
): Promise<T> {
  const { start, end, asyncStart, asyncEnd, error } = channel
  const started = performance.now()
  const fail = (reason: unknown) => {
    message.duration = performance.now() - started
    message.errorType = errorType(reason)
    error.publish(message)
  }
  return start.runStores(message, () => {
    let promise: Promise<T>
    try {
      promise = message.run === undefined ? begin() : message.run(begin)
    } catch (reason) {
      fail(reason)
      throw reason
    } finally {
      end.publish(message)
    }
    return promise.then(
      (result) => {
        message.duration = performance.now() - started
        settled(message, result)
        asyncStart.publish(message)
        asyncEnd.publish(message)
        return result
      },
      (reason: unknown) => {
        fail(reason)
        asyncStart.publish(message)
        asyncEnd.publish(message)
        throw reason
      },
    )
  })
}

function errorType(reason: unknown): string {
  if (reason instanceof KvError) return reason.code
  return reason instanceof Error ? reason.name : typeof reason
}
