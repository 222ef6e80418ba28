/** A `fetch` that cuts off response bodies after some bytes, and whose requests fail while `isDown`. */
export function cutting(bytes: () => number) {
  const bodies = new Set<TransformStreamDefaultController>()
  const state = { isDown: false, requests: 0, chunks: 0 }
  /** Fails every request from now on, and what comes of those that were made. */
  const drop = () => {
    state.isDown = true
    for (const body of bodies) body.error(new TypeError('terminated'))
    bodies.clear()
  }
  const cut = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    state.requests++
    if (state.isDown) throw new TypeError('fetch failed')
    const response = await fetch(input, init)
    if (response.body === null || !response.ok) return response
    let left = bytes()
    const body = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        start: (controller) => void bodies.add(controller),
        transform: (chunk, controller) => {
          state.chunks++
          if (left > 0) controller.enqueue(chunk.slice(0, left))
          left -= chunk.length
          if (left <= 0) controller.error(new TypeError('terminated'))
        },
      }),
    )
    return new Response(body, response)
  }
  return { state, drop, fetch: cut as typeof fetch }
}
