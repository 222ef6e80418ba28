import type { Database } from '../api/database.ts'
import type { Key } from '../contract/key.types.ts'
import type { Selector } from '../key/range.ts'
import type { Entry } from '../schema/registry.types.ts'

/** An open database with any schemas, as adapters use it. */
export type AdaptedDatabase = Pick<
  Database,
  'get' | 'getMany' | 'set' | 'delete' | 'list' | 'atomic' | 'changes'
>

/** How an adapter uses its database. */
export interface AdapterOptions {
  /**
   * The parts before each key of the adapter, at least one. The adapter owns everything below, and reads, changes or clears
   * nothing else in the database. Default: `['keyv']`, `['unstorage']`, `['sessions']`.
   */
  readonly prefix?: Key | undefined
}

/** How many rows one commit removes. */
const removedAtOnce = 1_000

/** The keys of an adapter in its database: each is one text below the prefix. */
export class TextKeys {
  readonly prefix: Key
  readonly #db: AdaptedDatabase

  constructor(db: AdaptedDatabase, prefix: Key, adapter: string) {
    if (typeof db?.atomic !== 'function' || typeof db.list !== 'function')
      throw new TypeError(`${adapter} takes an open database: await Valkeyrie.open('./data.db')`)
    if (!Array.isArray(prefix) || prefix.length === 0)
      throw new TypeError(`The prefix of ${adapter} must be a key of at least one part, such as ['cache']`)
    // Refuses an invalid prefix here, not at the first call.
    db.list({ prefix })
    this.#db = db
    this.prefix = prefix.slice()
  }

  of(text: string): Key {
    return [...this.prefix, text]
  }

  /** The text of a key; undefined if another program has written a different kind of key below the prefix. */
  textOf(key: Key): string | undefined {
    const text = key[this.prefix.length]
    return key.length === this.prefix.length + 1 && typeof text === 'string' ? text : undefined
  }

  /** The entries whose texts start with `start` (all, if it is empty), in the order of their texts. */
  async *list(start = ''): AsyncGenerator<readonly [text: string, entry: Entry], void> {
    for await (const entry of this.#db.list(this.#selector(start))) {
      const text = this.textOf(entry.key)
      if (text !== undefined) yield [text, entry]
    }
  }

  /** Removes the entries with these texts; says for each whether it existed. */
  async remove(texts: readonly string[]): Promise<boolean[]> {
    for (;;) {
      const entries: readonly Entry[] = (await this.#db.getMany(texts.map((text) => this.of(text)))) as never
      const there = entries.filter(({ versionstamp }) => versionstamp !== null)
      if (there.length === 0) return entries.map(() => false)
      const removal = this.#db.atomic().check(...there)
      for (const { key } of there) removal.delete(key)
      if ((await removal.commit()).ok) return entries.map(({ versionstamp }) => versionstamp !== null)
    }
  }

  /** Removes the entries whose texts start with `start`, a thousand in one commit. */
  async clear(start = ''): Promise<void> {
    let keys: Key[] = []
    const removeRead = async () => {
      const removal = this.#db.atomic()
      for (const key of keys) removal.delete(key)
      keys = []
      await removal.commit()
    }
    for await (const [, { key }] of this.list(start)) {
      keys.push(key)
      if (keys.length === removedAtOnce) await removeRead()
    }
    if (keys.length > 0) await removeRead()
  }

  #selector(start: string): Selector {
    if (start === '') return { prefix: this.prefix }
    return { start: this.of(start), end: this.of(textAfter(start)) }
  }
}

/** The first text after all that start with this one. It must end in an ASCII character. */
function textAfter(start: string): string {
  return start.slice(0, -1) + String.fromCharCode(start.charCodeAt(start.length - 1) + 1)
}
