import session, { type SessionData } from 'express-session'
import { type AdaptedDatabase, type AdapterOptions, TextKeys } from './adapters/text-keys.ts'
import { checkOptionNames } from './arguments/option-names.ts'
import { parseJson } from './value/parse-json.ts'

export type { AdaptedDatabase, AdapterOptions }

/** How sessions are kept. */
export interface SessionStoreOptions extends AdapterOptions {
  /** How many milliseconds after each request to keep a session whose cookie has no end. Default: a day. */
  readonly expireIn?: number | undefined
}

type Callback<Value = void> = (error: unknown, value?: Value) => void

const day = 24 * 60 * 60_000

class SessionStore extends session.Store {
  readonly #db: AdaptedDatabase
  readonly #keys: TextKeys
  readonly #expireIn: number

  constructor(db: AdaptedDatabase, options: SessionStoreOptions) {
    super()
    checkOptionNames(options, ['prefix', 'expireIn'], 'sessionStore')
    const { prefix = ['sessions'], expireIn = day } = options
    if (typeof expireIn !== 'number' || !(expireIn > 0))
      throw new RangeError(`expireIn must be a number of milliseconds above 0 (got ${String(expireIn)})`)
    this.#keys = new TextKeys(db, prefix, 'sessionStore')
    this.#db = db
    this.#expireIn = expireIn
  }

  override get(sid: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    this.#answer(
      this.#db.get(this.#keys.of(sid)).then(({ value }) => value as SessionData | null),
      callback,
    )
  }

  override set(sid: string, data: SessionData, callback?: Callback): void {
    this.#answer(this.#set(sid, data), callback)
  }

  override destroy(sid: string, callback?: Callback): void {
    this.#answer(this.#db.delete(this.#keys.of(sid)), callback)
  }

  /**
   * Extends a session, with its new cookie. Keeps what another request has written meanwhile; a destroyed session stays destroyed.
   */
  override touch(sid: string, { cookie }: SessionData, callback?: Callback): void {
    this.#answer(this.#touch(sid, cookie), callback)
  }

  /** The sessions, without their ids. */
  override all(callback: Callback<SessionData[]>): void {
    this.#answer(
      Array.fromAsync(this.#keys.list(), ([, { value }]) => value as SessionData),
      callback,
    )
  }

  override length(callback: Callback<number>): void {
    const count = async () => {
      let sessions = 0
      for await (const _ of this.#keys.list()) sessions += 1
      return sessions
    }
    this.#answer(count(), callback)
  }

  override clear(callback?: Callback): void {
    this.#answer(this.#keys.clear(), callback)
  }

  async #set(sid: string, data: SessionData): Promise<void> {
    const expireIn = this.#timeLeft(data.cookie)
    const key = this.#keys.of(sid)
    // Other stores keep JSON, and programs rely on that: `toJSON` is called, and dates become text.
    if (expireIn > 0) await this.#db.set(key, parseJson(JSON.stringify(data)), { expireIn })
    else await this.#db.delete(key)
  }

  async #touch(sid: string, cookie: SessionData['cookie']): Promise<void> {
    const key = this.#keys.of(sid)
    const expireIn = this.#timeLeft(cookie)
    const shown = JSON.parse(JSON.stringify(cookie))
    for (;;) {
      const entry = await this.#db.get(key)
      if (entry.versionstamp === null) return
      const touch = this.#db.atomic().check(entry)
      if (expireIn > 0) touch.set(key, { ...(entry.value as object), cookie: shown }, { expireIn })
      else touch.delete(key)
      if ((await touch.commit()).ok) return
    }
  }

  /** How many milliseconds a session has left; none if its cookie has expired. */
  #timeLeft(cookie: SessionData['cookie'] | undefined): number {
    const expires = cookie?.expires
    return expires ? new Date(expires).getTime() - Date.now() : this.#expireIn
  }

  /** An error thrown by a callback is not the store's: it is thrown outside of it. */
  #answer<Value>(answer: Promise<Value>, callback?: Callback<Value>): void {
    const fail = (error: unknown) => (callback === undefined ? this.emit('error', error) : callback(error))
    answer.then(
      (value) => process.nextTick(() => callback?.(null, value)),
      (error) => process.nextTick(() => fail(error)),
    )
  }
}

/**
 * A store of sessions for [express-session](https://expressjs.com/en/resources/middleware/session.html), in an open database,
 * below its own prefix: `['sessions']` unless the options say otherwise. A session expires with its cookie, in the database
 * itself, and all processes that share the file share the sessions. You close the database.
 *
 * ```ts
 * import session from 'express-session'
 * import { sessionStore } from 'valkeyrie/express-session'
 *
 * const store = sessionStore(db, { expireIn: 60 * 60_000 })
 * const middleware = session({ store, secret: 'change me', resave: false, saveUninitialized: false })
 * ```
 *
 * Throws a TypeError if the database is not an open one, or the prefix is not a key.
 */
export function sessionStore(db: AdaptedDatabase, options: SessionStoreOptions = {}): session.Store {
  return new SessionStore(db, options)
}
