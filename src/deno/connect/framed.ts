import { Buffer } from 'node:buffer'

/** How many milliseconds without a message before an empty one shows the client that the server is alive. */
const heartbeat = 5_000

/** A stream of messages as bytes, each after its length in 4 bytes, lowest first. */
export function framed(messages: ReadableStream<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = messages.getReader()
  let beat: NodeJS.Timeout | undefined
  return new ReadableStream({
    start(controller) {
      beat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(frame(new Uint8Array()))
      }, heartbeat)
      beat.unref()
    },
    async pull(controller) {
      const { done, value } = await reader.read().catch((error) => {
        clearInterval(beat)
        throw error
      })
      if (!done) return controller.enqueue(frame(value))
      clearInterval(beat)
      controller.close()
    },
    async cancel(reason) {
      clearInterval(beat)
      await reader.cancel(reason)
    },
  })
}

function frame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(4 + message.length)
  bytes.writeUInt32LE(message.length)
  bytes.set(message, 4)
  return bytes
}
