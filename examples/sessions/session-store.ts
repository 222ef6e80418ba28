import { hash, randomBytes } from 'node:crypto'
import { NotFoundError, type OpenOptions, Valkeyrie, type WatchOptions } from 'valkeyrie'
import { z } from 'zod'

const session = z.object({
  /** `null` until the visitor has logged in. */
  userId: z.string().nullable(),
  basket: z.array(z.string()),
  createdAt: z.date(),
  /** When it was last used, to within a 24th of its lifetime. */
  seenAt: z.date(),
})
export type Session = z.infer<typeof session>

const schemas = Valkeyrie.withSchema(['sessions', '*'], session, { indexes: [{ on: 'userId' }] })

/** Sessions by the hashes of their tokens. */
export type Sessions = Awaited<ReturnType<typeof openSessions>>

export function openSessions(path?: string, options?: OpenOptions) {
  return schemas.open(path, options)
}

export interface SessionOptions {
  /** How long a session lives after it was last used, in milliseconds. Default: 24 hours. */
  readonly lifetime?: number
  /** The time, in milliseconds since the epoch. */
  readonly now?: () => number
}

const day = 24 * 60 * 60_000

/**
 * Sessions of visitors and users. A session's token, which the browser keeps, is all that its holder has to show, so it is 256
 * random bits: a UUIDv7, as `create` makes, tells most of itself by the time at which it was made. It is stored as a hash
 * only, from which nobody who reads the file, or a backup of it, can take over a session.
 */
export class SessionStore {
  readonly #db: Sessions
  readonly #lifetime: number
  readonly #now: () => number

  constructor(db: Sessions, { lifetime = day, now = Date.now }: SessionOptions = {}) {
    this.#db = db
    this.#lifetime = lifetime
    this.#now = now
  }

  /** Begins a session, and gives its token. */
  async create(userId: string | null = null): Promise<string> {
    const token = newToken()
    const now = new Date(this.#now())
    await this.#db.repositories.sessions.insert(
      idOf(token),
      { userId, basket: [], createdAt: now, seenAt: now },
      { expireIn: this.#lifetime },
    )
    return token
  }

  /**
   * The session, `null` where there is none or no longer. It lives on from now; that is written at most 24 times in a lifetime,
   * and not with every request.
   */
  async get(token: string): Promise<Session | null> {
    const entry = await this.#db.repositories.sessions.get(idOf(token))
    if (entry.value === null) return null
    const now = this.#now()
    if (now - entry.value.seenAt.getTime() >= this.#lifetime / 24) {
      // Whoever has written it since has seen it too, or has destroyed it: either way there is nothing to do again.
      const seen = { ...entry.value, seenAt: new Date(now) }
      await this.#db.atomic().check(entry).set(entry.key, seen, { expireIn: this.#lifetime }).commit()
    }
    return entry.value
  }

  /**
   * Lets a session live for another lifetime; `false` where there is none. `touch` changes when a row expires and nothing else, and
   * only while there is one. To read the session and set it would bring it back where it was destroyed in between, and
   * take back what others have changed in it.
   */
  async extend(token: string): Promise<boolean> {
    return found(this.#db.repositories.sessions.touch(idOf(token), { expireIn: this.#lifetime }))
  }

  /** Puts a thing into the basket; `false` where there is no session. Of things that are put in at once none is lost. */
  async addToBasket(token: string, thing: string): Promise<boolean> {
    const add = ({ basket, ...rest }: Session) => ({ ...rest, basket: [...basket, thing] })
    return found(this.#db.repositories.sessions.update(idOf(token), add))
  }

  /**
   * Gives a session to a user, under a new token; `null` where there is none. The old token is void in the same commit: whoever
   * has made the visitor use a token known to them would be logged in as well ("session fixation").
   */
  logIn(token: string, userId: string): Promise<string | null> {
    return this.#db.unitOfWork(async ({ repositories: { sessions } }) => {
      const { value } = await sessions.get(idOf(token))
      if (value === null) return null
      const next = newToken()
      await sessions.delete(idOf(token))
      await sessions.insert(idOf(next), { ...value, userId }, { expireIn: this.#lifetime })
      return next
    })
  }

  /** Ends a session; `false` where there was none. */
  async destroy(token: string): Promise<boolean> {
    return this.#db.repositories.sessions.delete(idOf(token))
  }

  /** Ends all sessions of a user, in one commit; how many there were. */
  async destroyAll(userId: string): Promise<number> {
    const { count } = await this.#db.repositories.sessions.deleteMany({ where: { userId } })
    return count
  }

  /** A stream of the session: now, and then whenever it has changed, been destroyed or expired. */
  watch(token: string, options?: WatchOptions) {
    return this.#db.repositories.sessions.watch(idOf(token), options)
  }
}

/** Whether a write has found its row. */
async function found(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if (error instanceof NotFoundError) return false
    throw error
  }
}

function newToken(): string {
  return randomBytes(32).toString('base64url')
}

/** The token has as many bits as the hash, so a slow hash, as passwords need one, would add nothing. */
function idOf(token: string): string {
  return hash('sha256', token, 'base64url')
}
