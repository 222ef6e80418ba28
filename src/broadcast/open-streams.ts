/** A stream that can be ended from outside. */
export interface Endable {
  end(): void
}

/** The streams that end with the database. A stream whose reader has dropped it is forgotten. */
export class OpenStreams {
  readonly #references = new Set<WeakRef<Endable>>()
  readonly #dropped = new FinalizationRegistry<WeakRef<Endable>>((reference) => {
    this.#references.delete(reference)
  })

  get size(): number {
    return this.#references.size
  }

  /** Adds a stream; the returned function removes it. */
  add(stream: Endable): () => void {
    const reference = new WeakRef(stream)
    this.#references.add(reference)
    this.#dropped.register(stream, reference, reference)
    return () => {
      this.#references.delete(reference)
      this.#dropped.unregister(reference)
    }
  }

  endAll(): void {
    for (const reference of [...this.#references]) reference.deref()?.end()
  }
}

/** Removes the listeners of streams whose readers have dropped them. */
const dropped = new FinalizationRegistry<() => void>((forget) => forget())

/**
 * Ends a stream when a signal is aborted, unless the returned function is called first. The signal may live longer than the stream, and
 * does not keep it.
 */
export function endWith(signal: AbortSignal, stream: Endable): () => void {
  const reference = new WeakRef(stream)
  const end = () => reference.deref()?.end()
  const forget = () => signal.removeEventListener('abort', end)
  signal.addEventListener('abort', end)
  dropped.register(stream, forget, reference)
  return () => {
    dropped.unregister(reference)
    forget()
  }
}
