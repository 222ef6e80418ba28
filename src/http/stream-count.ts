import { unavailable } from './refusal.ts'

/** How many streams are open, in all and for each client. */
export class StreamCount {
  readonly #most: number
  readonly #mostPerClient: number
  readonly #ofClients = new Map<string, number>()
  total = 0

  constructor(most: number, mostPerClient: number) {
    this.#most = most
    this.#mostPerClient = mostPerClient
  }

  /** Counts one more stream, until you call the returned function. Throws a Refusal if there are too many. */
  begin(client: string | undefined): () => void {
    const own = client === undefined ? 0 : (this.#ofClients.get(client) ?? 0)
    if (this.total >= this.#most || own >= this.#mostPerClient) throw unavailable()
    this.#add(client, 1)
    let isOver = false
    return () => {
      if (!isOver) this.#add(client, -1)
      isOver = true
    }
  }

  #add(client: string | undefined, more: 1 | -1): void {
    this.total += more
    if (client === undefined) return
    const count = (this.#ofClients.get(client) ?? 0) + more
    if (count === 0) this.#ofClients.delete(client)
    else this.#ofClients.set(client, count)
  }
}
