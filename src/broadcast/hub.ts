// The hub walks the log in order, once: commits come in, subscriptions wake, and no commit is reported twice or skipped.
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseClosedError } from '../contract/errors.ts'
import type { Driver } from '../driver/driver.ts'
import { keyText } from '../key/key-text.ts'
import { contains, type KeyRange } from '../key/range.ts'
import { OpenStreams } from './open-streams.ts'
import { SharedWatches } from './shared-watches.ts'
import { Subscription } from './subscription.ts'

interface WatchedRange {
  readonly range: KeyRange
  readonly subscriptions: Set<Subscription>
}

interface Keyed {
  readonly key: Uint8Array
}

const commitsPerPage = 1_000
/** How many milliseconds to follow commits after the last reader has left, and how long to wait after a failure. */
const lingering = 40
/** Greater than every version: the hub does not follow commits. */
const notFollowing = Number.POSITIVE_INFINITY

/**
 * Wakes subscriptions when a key, or any key in a range, changes. It follows all commits in the order of their versions: commits of
 * this process are reported to it; those of others it reads from the log. Without subscriptions it does nothing.
 */
export class WatchHub {
  readonly streams = new OpenStreams()
  readonly shared = new SharedWatches()
  readonly #driver: Driver
  readonly #foreignFound: () => void
  readonly #now = () => this.#driver.now()
  readonly #keys = new Map<string, Set<Subscription>>()
  readonly #ranges = new Map<string, WatchedRange>()
  #starting: Promise<void> | null = null
  /** Stops following commits. */
  #following: AbortController | null = null
  #lingering: NodeJS.Timeout | undefined
  /** Every commit up to this version has been distributed. */
  #distributed = notFollowing
  #reading: Promise<void> | null = null
  #readAgain = false
  #closed = false
  #reports = 0

  /** `foreignFound` is called after other connections have committed. */
  constructor(driver: Driver, foreignFound: () => void = () => {}) {
    this.#driver = driver
    this.#foreignFound = foreignFound
  }

  /** Whether it follows commits. */
  get active(): boolean {
    return this.#starting !== null
  }

  /** How many commits of this process were reported: whether what was read before may have been overwritten since. */
  get reports(): number {
    return this.#reports
  }

  /** The version up to which every subscription has heard of every commit; null without subscriptions. */
  get distributed(): number | null {
    return this.#distributed === notFollowing ? null : this.#distributed
  }

  get closed(): boolean {
    return this.#closed
  }

  /** How many keys and ranges have subscriptions. */
  get size(): number {
    return this.#keys.size + this.#ranges.size
  }

  /** Wakes at every commit that changes one of these keys after the promise has resolved. */
  watchKeys(keys: readonly Uint8Array[]): Promise<Subscription> {
    const texts = new Set(keys.map(keyText))
    const subscription = new Subscription(this.#now, (ended) => {
      for (const text of texts) {
        const subscriptions = this.#keys.get(text)
        if (subscriptions?.delete(ended) && subscriptions.size === 0) this.#keys.delete(text)
      }
      this.#linger()
    })
    for (const text of texts) {
      const subscriptions = this.#keys.get(text)
      if (subscriptions === undefined) this.#keys.set(text, new Set([subscription]))
      else subscriptions.add(subscription)
    }
    return this.#started(subscription)
  }

  /** Wakes at every commit that changes a key in one of these ranges after the promise has resolved. */
  watchRanges(ranges: readonly KeyRange[]): Promise<Subscription> {
    const texts = ranges.map(({ start, end }) => `${keyText(start)} ${keyText(end)}`)
    const subscription = new Subscription(this.#now, (ended) => {
      for (const text of texts) {
        const subscriptions = this.#ranges.get(text)?.subscriptions
        if (subscriptions?.delete(ended) && subscriptions.size === 0) this.#ranges.delete(text)
      }
      this.#linger()
    })
    for (const [i, text] of texts.entries()) {
      const watched = this.#ranges.get(text)
      if (watched !== undefined) watched.subscriptions.add(subscription)
      else this.#ranges.set(text, { range: ranges[i]!, subscriptions: new Set([subscription]) })
    }
    return this.#started(subscription)
  }

  /** Reports a commit of this connection. */
  committed(changes: readonly Keyed[], version: number): void {
    this.#reports += 1
    if (!this.active || version <= this.#distributed) return
    if (version === this.#distributed + 1) this.#distribute(changes, version)
    // Other connections have committed in between: their commits come first.
    else this.refresh()
  }

  /** Reports commits of this connection by way of the log. */
  refresh(): void {
    this.#reports += 1
    if (this.active) this.#readLog().catch(() => {})
  }

  /** Ends every stream. */
  close(): void {
    this.#closed = true
    this.#stop()
    this.streams.endAll()
  }

  async #started(subscription: Subscription): Promise<Subscription> {
    try {
      if (this.#closed) throw new DatabaseClosedError()
      this.#starting ??= this.#start()
      await this.#starting
      return subscription
    } catch (error) {
      subscription.end()
      this.#stop()
      throw error
    }
  }

  async #start(): Promise<void> {
    const following = new AbortController()
    this.#following = following
    const latest = await this.#driver.latestVersion()
    if (following.signal.aborted) return
    this.#distributed = latest
    void this.#follow(following.signal)
  }

  #stop(): void {
    this.#following?.abort()
    this.#following = null
    this.#starting = null
    this.#distributed = notFollowing
  }

  /** Keeps following for a moment without subscriptions: most readers come back at once. */
  #linger(): void {
    if (this.size > 0 || this.#lingering !== undefined) return
    this.#lingering = setTimeout(() => {
      this.#lingering = undefined
      if (this.size === 0) this.#stop()
    }, lingering).unref()
  }

  /** Reads the commits of others when the driver reports them. After a failure, it starts following again. */
  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#followOnce(signal).catch(() => {})
      // A lasting failure must not keep the process busy.
      await delay(lingering, undefined, { ref: false, signal }).catch(() => {})
    }
  }

  async #followOnce(signal: AbortSignal): Promise<void> {
    for await (const newest of this.#driver.follow(this.#distributed, signal)) {
      if (newest !== null && newest <= this.#distributed) continue
      await this.#readLog()
      this.#foreignFound()
    }
  }

  /** Distributes newer commits from the log. Overlapping calls share a reading that begins after the last of them. */
  #readLog(): Promise<void> {
    if (this.#reading !== null) this.#readAgain = true
    this.#reading ??= this.#readPages()
    return this.#reading
  }

  async #readPages(): Promise<void> {
    try {
      do {
        this.#readAgain = false
        while (await this.#readPage());
      } while (this.#readAgain)
    } catch (error) {
      this.#wakeAll()
      throw error
    } finally {
      // Synchronously after the last check of `readAgain`: a later caller must not share a reading that is over.
      this.#reading = null
    }
  }

  /** Returns whether there may be another page. */
  async #readPage(): Promise<boolean> {
    if (this.#distributed === notFollowing) return false
    const since = this.#distributed
    const { commits, oldest, latest } = await this.#driver.commitsSince(since, commitsPerPage)
    // The log no longer has them, or an older state of the database was restored.
    if (this.#distributed + 1 < oldest || latest < since) {
      this.#wakeAll()
      this.#distributed = latest
      return false
    }
    for (const { version, changes } of commits) {
      if (version <= this.#distributed) continue
      if (changes !== null) this.#distribute(changes, version)
      else this.#distributeAll(version)
    }
    return commits.length > 0 && this.#distributed < latest
  }

  #distribute(changes: readonly Keyed[], version: number): void {
    const before = this.#distributed
    if (this.#keys.size > 0) {
      for (const { key } of changes) {
        const subscriptions = this.#keys.get(keyText(key))
        if (subscriptions !== undefined) wake(subscriptions, before)
      }
    }
    if (this.#ranges.size > 0) {
      for (const { range, subscriptions } of this.#ranges.values()) {
        if (changes.some(({ key }) => contains(range, key))) wake(subscriptions, before)
      }
    }
    this.#distributed = version
  }

  /** Reports a commit whose changes are unknown: it wakes everyone. */
  #distributeAll(version: number): void {
    this.#wakeAll()
    this.#distributed = version
  }

  #wakeAll(): void {
    const before = this.#distributed === notFollowing ? -1 : this.#distributed
    for (const subscriptions of this.#keys.values()) wake(subscriptions, before)
    for (const { subscriptions } of this.#ranges.values()) wake(subscriptions, before)
  }
}

function wake(subscriptions: ReadonlySet<Subscription>, distributed: number): void {
  for (const subscription of subscriptions) subscription.wake(distributed)
}
