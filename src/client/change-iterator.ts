import { parseJson } from '../value/parse-json.ts'
import type { ValueFormat } from '../value/value-format.ts'
import type { StreamEvent } from '../wire/event.ts'
import type { LiveChange } from '../wire/live.types.ts'
import type { WireRow } from '../wire/row.ts'
import type { Follower } from './follow.ts'
import type { LiveError } from './live-error.ts'
import { readRow, unreadable } from './result-reader.ts'

/** A call of `next` that waits for a change. */
interface Asking<C> {
  resolve(result: IteratorResult<C, undefined>): void
  reject(error: LiveError): void
}

/** The changes of a stream, each once. The next one is read from the connection when the caller asks for it. */
export class ChangeIterator<C extends LiveChange> implements AsyncIterableIterator<C, undefined>, Follower {
  readonly #format: ValueFormat
  /** Follows the stream until the signal is aborted. */
  readonly #follow: (follower: Follower, signal: AbortSignal) => Promise<void>
  readonly #stop = new AbortController()
  readonly #asking: Asking<C>[] = []
  #hasBegun = false
  /** How it ended; the error is undefined if the caller ended it. */
  #end: { readonly error: LiveError | undefined } | undefined
  /** Resumes the stream when the caller asks for the next change. */
  #goOn: () => void = () => {}
  /** The versionstamp of the last change, and the keys of its commit that have arrived. */
  #versionstamp = ''
  readonly #keys = new Set<string>()

  constructor(format: ValueFormat, follow: (follower: Follower, signal: AbortSignal) => Promise<void>) {
    this.#format = format
    this.#follow = follow
  }

  next(): Promise<IteratorResult<C, undefined>> {
    if (!this.#hasBegun) this.#begin()
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) {
        this.#asking.push({ resolve, reject })
        this.#goOn()
        return
      }
      const { error } = this.#end
      this.#end = { error: undefined }
      if (error === undefined) resolve({ done: true, value: undefined })
      else reject(error)
    })
  }

  async return(): Promise<IteratorResult<C, undefined>> {
    this.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Ends it: waiting callers get the error, or the end if there is no error. */
  close(error?: LiveError): void {
    this.#stop.abort()
    this.#goOn()
    if (this.#end !== undefined) return
    const [first, ...others] = this.#asking.splice(0)
    this.#end = { error: first === undefined ? error : undefined }
    if (error === undefined) first?.resolve({ done: true, value: undefined })
    else first?.reject(error)
    for (const { resolve } of others) resolve({ done: true, value: undefined })
  }

  async take({ name, data }: StreamEvent): Promise<void> {
    if (name !== 'change') return
    const change = this.#read(data)
    if (!this.#isNew(change)) return
    while (this.#asking.length === 0) {
      if (this.#stop.signal.aborted) return
      await new Promise<void>((resolve) => {
        this.#goOn = resolve
      })
    }
    this.#note(change)
    this.#asking.shift()!.resolve({ done: false, value: change })
  }

  lost(): void {}

  /** Throws a LiveError, which ends it, for whatever it cannot read: to ask for it again could lose changes. */
  #read(data: string): C {
    let row: WireRow
    try {
      row = parseJson(data) as WireRow
    } catch (error) {
      throw unreadable(error as Error)
    }
    return readRow(row, this.#format) as C
  }

  #begin(): void {
    this.#hasBegun = true
    this.#follow(this, this.#stop.signal).catch((error: unknown) => this.close(error as LiveError))
  }

  /** If the connection is lost in the middle of a commit, the server sends that commit again from its beginning. */
  #isNew({ key, versionstamp }: C): boolean {
    if (versionstamp !== this.#versionstamp) return versionstamp > this.#versionstamp
    return !this.#keys.has(keyText(key))
  }

  #note({ key, versionstamp }: C): void {
    if (versionstamp !== this.#versionstamp) this.#keys.clear()
    this.#versionstamp = versionstamp
    this.#keys.add(keyText(key))
  }
}

/** Two keys have the same text only if they are equal. */
function keyText(key: LiveChange['key']): string {
  return JSON.stringify(key.map((part) => [typeof part, String(part)]))
}
