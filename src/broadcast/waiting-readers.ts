/** A state that somebody is given. */
export interface SharedState<T> {
  readonly token: string
  readonly shown: T
}

/** A reader who waits for another state than the one that it was given last. It is told one thing. */
export interface Waiting<T> {
  /** The token of what it was given last. */
  readonly given: string | null
  /** Whether it still waits. */
  readonly isWanted: boolean
  give(state: SharedState<T>): void
  fail(error: unknown): void
  /** It is told nothing: it does not want to wait any more. */
  letGo(): void
}

/** Readers who wait, by the token of what each was given last: however many there are, most have been given the same. */
export class WaitingReaders<T> {
  #groups = new Map<string | null, Set<Waiting<T>>>()

  get isEmpty(): boolean {
    return this.#groups.size === 0
  }

  /** One of them; undefined if there is none. */
  get first(): Waiting<T> | undefined {
    for (const [first] of this.#groups.values()) return first
    return undefined
  }

  add(reader: Waiting<T>): void {
    const group = this.#groups.get(reader.given)
    if (group === undefined) this.#groups.set(reader.given, new Set([reader]))
    else group.add(reader)
  }

  /** Whether it was among them. */
  delete(reader: Waiting<T>): boolean {
    const group = this.#groups.get(reader.given)
    if (!group?.delete(reader)) return false
    if (group.size === 0) this.#groups.delete(reader.given)
    return true
  }

  /** Whether all of them were given the state of this token last. */
  haveAll(token: string): boolean {
    return this.#groups.size === (this.#groups.has(token) ? 1 : 0)
  }

  /** Takes all away, and gives them. */
  take(): WaitingReaders<T> {
    const taken = new WaitingReaders<T>()
    taken.#groups = this.#groups
    this.#groups = new Map()
    return taken
  }

  /** Takes those of a token from others. */
  join(others: WaitingReaders<T>, token: string): void {
    const joining = others.#groups.get(token)
    if (joining === undefined) return
    others.#groups.delete(token)
    const group = this.#groups.get(token) ?? new Set()
    const [fewer, more] = joining.size < group.size ? [joining, group] : [group, joining]
    for (const reader of fewer) more.add(reader)
    this.#groups.set(token, more)
  }

  *[Symbol.iterator](): Generator<Waiting<T>, void> {
    for (const group of this.#groups.values()) yield* group
  }
}
