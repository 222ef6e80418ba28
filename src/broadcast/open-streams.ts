import { whenAborted } from '../time/until-aborted.ts'

/** A stream that can be ended from outside. */
export interface Endable {
  end(): void
}

/** Streams that end together. A stream whose reader has dropped it is forgotten. */
export class OpenStreams {
  readonly #onEmpty: () => void
  readonly #references = new Set<WeakRef<Endable>>()
  readonly #dropped = new FinalizationRegistry<WeakRef<Endable>>((reference) => {
    this.#remove(reference)
  })

  constructor(onEmpty: () => void = () => {}) {
    this.#onEmpty = onEmpty
  }

  get size(): number {
    return this.#references.size
  }

  /** Adds a stream; the returned function removes it. */
  add(stream: Endable): () => void {
    const reference = new WeakRef(stream)
    this.#references.add(reference)
    this.#dropped.register(stream, reference, reference)
    return () => {
      this.#dropped.unregister(reference)
      this.#remove(reference)
    }
  }

  endAll(): void {
    for (const reference of [...this.#references]) reference.deref()?.end()
  }

  #remove(reference: WeakRef<Endable>): void {
    if (this.#references.delete(reference) && this.#references.size === 0) this.#onEmpty()
  }
}

const ofSignals = new WeakMap<AbortSignal, OpenStreams>()

/** The streams that end when a signal is aborted: it may live longer than they do, and does not keep them. */
export function streamsOf(signal: AbortSignal): OpenStreams {
  const known = ofSignals.get(signal)
  if (known !== undefined) return known
  const streams = new OpenStreams(() => {
    forget()
    ofSignals.delete(signal)
  })
  const forget = whenAborted(signal, () => streams.endAll())
  ofSignals.set(signal, streams)
  return streams
}
