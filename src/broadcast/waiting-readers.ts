/** A state, as readers get it. */
export interface SharedState<T> {
  readonly token: string
  readonly shown: T
}

/** A reader that waits for a state other than its last one. Exactly one of its methods is called. */
export interface Waiting<T> {
  /** The token of the state that it has. */
  readonly given: string | null
  /** Its index among those with the same token, for WaitingReaders. */
  place: number
  /** Whether it still waits. */
  readonly isWanted: boolean
  give(state: SharedState<T>): void
  fail(error: unknown): void
  /** It gets nothing, because it no longer waits. */
  letGo(): void
}

/** Waiting readers, grouped by the token of the state that each has: most of them usually have the same. */
export class WaitingReaders<T> {
  /** Arrays: filling and walking sets takes a fifth of the time in which thousands of readers are served. */
  #groups = new Map<string | null, Waiting<T>[]>()

  get isEmpty(): boolean {
    return this.#groups.size === 0
  }

  /** Any one of them; undefined if there is none. */
  get first(): Waiting<T> | undefined {
    for (const [first] of this.#groups.values()) return first
    return undefined
  }

  add(reader: Waiting<T>): void {
    let group = this.#groups.get(reader.given)
    if (group === undefined) {
      group = []
      this.#groups.set(reader.given, group)
    }
    append(group, reader)
  }

  /** Removes a reader; returns whether it was among them. */
  delete(reader: Waiting<T>): boolean {
    const group = this.#groups.get(reader.given)
    if (group?.[reader.place] !== reader) return false
    const last = group.pop()!
    if (last !== reader) {
      group[reader.place] = last
      last.place = reader.place
    }
    if (group.length === 0) this.#groups.delete(reader.given)
    return true
  }

  /** Whether all of them have the state with this token. */
  haveAll(token: string): boolean {
    return this.#groups.size === (this.#groups.has(token) ? 1 : 0)
  }

  /** Removes all of them, and returns them. */
  take(): WaitingReaders<T> {
    const taken = new WaitingReaders<T>()
    taken.#groups = this.#groups
    this.#groups = new Map()
    return taken
  }

  /** Takes over the readers of others that have this token. */
  join(others: WaitingReaders<T>, token: string): void {
    const joining = others.#groups.get(token)
    if (joining === undefined) return
    others.#groups.delete(token)
    const group = this.#groups.get(token) ?? []
    const [fewer, more] = joining.length < group.length ? [joining, group] : [group, joining]
    for (const reader of fewer) append(more, reader)
    this.#groups.set(token, more)
  }

  /** All of them, as arrays: a generator over thousands of readers takes a tenth of the time that it takes to tell them. */
  get groups(): Iterable<readonly Waiting<T>[]> {
    return this.#groups.values()
  }
}

function append<T>(group: Waiting<T>[], reader: Waiting<T>): void {
  reader.place = group.length
  group.push(reader)
}
