import { setImmediate as nextTurn } from 'node:timers/promises'
import type { WatchHub } from '../broadcast/hub.ts'
import type { Subscription } from '../broadcast/subscription.ts'
import { CorruptKeyError, CorruptLogError, LogTrimmedError } from '../contract/errors.ts'
import type { Key } from '../contract/key.types.ts'
import type { Driver, LoggedChange, LoggedCommit, StoredRow } from '../driver/driver.ts'
import { decodeKey } from '../key/codec.ts'
import { keyText } from '../key/key-text.ts'
import { contains, type KeyRange } from '../key/range.ts'
import { formatVersionstamp, versionText } from '../key/versionstamp.ts'
import { pauseDue } from '../time/give-way.ts'
import type { Change } from './change.types.ts'
import { type FeedPosition, UnknownPositionError } from './feed-position.ts'
import { type PendingChange, ValuesAhead } from './values-ahead.ts'
import type { Receiver, WatchSource } from './watch-stream.ts'

/** Which changes a feed reports, and how it builds them from the log and the rows. */
export interface FeedSource<C> {
  readonly driver: Driver
  readonly hub: WatchHub
  readonly range: KeyRange
  /** Which keys in the range count. */
  readonly includes: (key: Key) => boolean
  readonly decode: (row: StoredRow, key: Key) => unknown | Promise<unknown>
  readonly toChange: (change: Change) => C
}

const commitsPerPage = 256
/** How many changes of a large commit to look at before asking for the time. */
const changesPerLook = 128

/** The changes of every commit after a version. It reads the log a page at a time, and the values of some changes ahead. */
export class ChangeFeed<C> implements WatchSource<C>, FeedPosition {
  readonly start: Promise<number>
  readonly #source: FeedSource<C>
  /** The version after which it waits for a change. */
  #waitsBehind: number | null = null
  /** Everything up to this version is reported or pending. */
  #position: Promise<number>
  #pending: PendingChange[] = []
  #next = 0
  readonly #ahead: ValuesAhead
  #subscription: Subscription | null = null

  /** `since`: the version to begin after; null: the newest one now. */
  constructor(source: FeedSource<C>, since: number | null) {
    this.#source = source
    this.#ahead = new ValuesAhead(source.driver, source.hub)
    this.start = since === null ? source.driver.latestVersion() : this.#checked(since)
    this.#position = this.start
    // The first read awaits it; until then, a rejection must not count as unhandled.
    this.#position.catch(() => {})
  }

  get settled(): number | null {
    if (this.#waitsBehind === null || this.#subscription?.isWoken !== false) return null
    return Math.max(this.#waitsBehind, this.#source.hub.distributed ?? 0)
  }

  async next(receiver: Receiver<C>): Promise<void> {
    try {
      const pause = pauseDue()
      if (pause !== undefined) await pause
      const isThere = this.#next < this.#pending.length || (await this.#fill(receiver))
      if (!isThere) return receiver.letGo()
      receiver.give(await this.#toChange(this.#next++))
    } catch (error) {
      receiver.fail(error)
    }
  }

  wake(): void {
    this.#subscription?.wake()
  }

  async #checked(since: number): Promise<number> {
    // The newest version would not do: a standby may only later have what `since` came from.
    const { latest } = await this.#source.driver.commitsSince(since, 0)
    if (since <= latest) return since
    const [given, newest] = [formatVersionstamp(since), formatVersionstamp(latest)]
    throw new UnknownPositionError(
      `since is ${given}, but the newest version of this database is ${newest}: does it belong to another database?`,
    )
  }

  /** Waits until changes are pending; false if the reader no longer wants them. */
  async #fill(receiver: Receiver<C>): Promise<boolean> {
    let position = await this.#position
    const subscription = await this.#source.hub.watchRanges([this.#source.range])
    this.#subscription = subscription
    try {
      while (receiver.isWanted) {
        subscription.arm()
        const { commits, oldest, latest } = await this.#source.driver.commitsSince(position, commitsPerPage)
        if (position + 1 < oldest) throw new LogTrimmedError(formatVersionstamp(oldest))
        if (latest < position) throw restored(position, latest)
        position = (await this.#take(commits)) ?? position
        if (this.#pending.length > 0) return true
        if (position < latest) {
          await nextTurn()
          continue
        }
        this.#waitsBehind = position
        await subscription.changed()
        this.#waitsBehind = null
        position = Math.max(position, subscription.distributed)
      }
      return false
    } finally {
      this.#position = Promise.resolve(position)
      this.#subscription = null
      subscription.end()
    }
  }

  /** Makes the changes of commits pending, up to the first damaged one: that waits until everything before it is read. */
  async #take(commits: readonly LoggedCommit[]): Promise<number | undefined> {
    const pending: PendingChange[] = []
    let taken: number | undefined
    for (const commit of commits) {
      const before = pending.length
      try {
        for (const pause of this.#relevant(commit, pending)) if (pause !== undefined) await pause
      } catch (error) {
        if (before === 0 || !(error instanceof CorruptLogError)) throw error
        pending.length = before
        break
      }
      taken = commit.version
    }
    this.#pending = pending
    this.#next = 0
    return taken
  }

  /** Adds the final change of a commit to each key that counts to `pending`. Gives what to await between its parts. */
  *#relevant(
    { version, changes }: LoggedCommit,
    pending: PendingChange[],
  ): Generator<Promise<void> | undefined> {
    if (changes === null) throw unreadable(version)
    const { range, includes } = this.#source
    const last = new Map<string, LoggedChange>()
    let looked = 0
    for (const change of changes) {
      if (contains(range, change.key)) last.set(keyText(change.key), change)
      if (++looked % changesPerLook === 0) yield pauseDue()
    }
    for (const change of last.values()) {
      if (includes(loggedKey(version, change))) pending.push({ version, change })
      if (++looked % changesPerLook === 0) yield pauseDue()
    }
  }

  async #toChange(place: number): Promise<C> {
    const { decode, toChange } = this.#source
    const { version, change } = this.#pending[place]!
    const { type, key: encodedKey, stored } = change
    const key = decodeKey(encodedKey)
    const versionstamp = formatVersionstamp(version)
    if (type !== 'set') return toChange({ type, key, versionstamp, value: null })
    const row =
      stored === undefined
        ? await this.#ahead.rowOf(this.#pending, place)
        : { ...stored, key: encodedKey, version, expiresAt: null }
    if (row === null) return toChange({ type, key, versionstamp, value: null, superseded: true })
    return toChange({ type, key, versionstamp, value: await decode(row, key) })
  }
}

function loggedKey(version: number, { key }: LoggedChange): Key {
  try {
    return decodeKey(key)
  } catch (error) {
    if (error instanceof CorruptKeyError) throw unreadable(version, error)
    throw error
  }
}

function restored(position: number, latest: number): RangeError {
  const [given, newest] = [formatVersionstamp(position), formatVersionstamp(latest)]
  return new UnknownPositionError(
    `These changes have come to ${given}, but the newest version of this database is ${newest}, so an older state was restored: call changes without since, and read the rows again`,
  )
}

/** A feed reports every change, so it cannot skip a commit whose changes are unknown. */
function unreadable(version: number, cause?: unknown): CorruptLogError {
  return new CorruptLogError(
    versionText(version),
    'and nobody knows any more what that commit changed: call changes with this version as since, and then read the rows again',
    { cause },
  )
}
