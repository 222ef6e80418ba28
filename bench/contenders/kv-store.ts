import type { User } from '../values/user.ts'
import type { Entry, Store, Watcher } from './contender.ts'

type Key = readonly string[]

interface KvEntry {
  readonly key: Key
  readonly value: unknown
  readonly versionstamp: string | null
}

interface KvAtomic {
  check(...checks: Pick<KvEntry, 'key' | 'versionstamp'>[]): this
  set(key: Key, value: unknown): this
  commit(): Promise<{ readonly ok: boolean }>
}

/** What valkeyrie 0.8 and `@deno/kv` have in common. */
export interface Kv {
  get(key: Key): Promise<KvEntry>
  set(key: Key, value: unknown): Promise<unknown>
  list(selector: { readonly prefix: Key }, options?: { readonly batchSize?: number }): AsyncIterable<KvEntry>
  atomic(): KvAtomic
  watch(keys: readonly Key[], options?: { readonly raw?: boolean }): ReadableStream<KvEntry[]>
  close(): unknown
}

/** The most that one commit may write. */
const commitBytes = 800 * 1_024
const commitMutations = 1_000

const keyOf = (id: string) => ['users', id]
const userOf = ({ value }: KvEntry) => value as User | null

/**
 * A store over one of these, for values of so many bytes as JSON. Its `getMany` takes 10 keys, so there is none of 100; a
 * commit takes so many rows, their encoding and their keys counted.
 */
export function kvStore(kv: Kv, bytes: number): Store<KvEntry> {
  const rowsPerCommit = Math.min(commitMutations, Math.floor(commitBytes / (bytes * 1.3 + 100)))

  async function atomic(entries: readonly Entry[]): Promise<void> {
    const operation = kv.atomic()
    for (const [id, user] of entries) operation.set(keyOf(id), user)
    await expectCommit(operation)
  }

  return {
    get: (id) => kv.get(keyOf(id)),
    userOf,
    set: (id, user) => kv.set(keyOf(id), user),
    setsAtOnce: (entries) => Promise.all(entries.map(([id, user]) => kv.set(keyOf(id), user))),
    ...(rowsPerCommit >= 500 && { atomic }),
    async swapAges(idOfA, idOfB) {
      const [a, b] = [await kv.get(keyOf(idOfA)), await kv.get(keyOf(idOfB))]
      const [userA, userB] = [userOf(a)!, userOf(b)!]
      const { age } = userA
      userA.age = userB.age
      userB.age = age
      await expectCommit(kv.atomic().check(a, b).set(a.key, userA).set(b.key, userB))
      return userA.age + userB.age
    },
    list: () => kv.list({ prefix: ['users'] }, { batchSize: 500 }),
    userOfListed: (entry) => userOf(entry)!,
    async load(entries) {
      const batch: Entry[] = []
      for (const entry of entries) {
        batch.push(entry)
        if (batch.length === rowsPerCommit) await atomic(batch.splice(0))
      }
      if (batch.length > 0) await atomic(batch)
    },
    watch: (id) => watcher(kv, id),
    close: () => kv.close(),
  }
}

async function expectCommit(operation: KvAtomic): Promise<void> {
  const { ok } = await operation.commit()
  if (!ok) throw new Error('the commit conflicts')
}

function watcher(kv: Kv, id: string): Watcher {
  // Raw: what `@deno/kv` gives otherwise throws when it is cancelled.
  const reader = kv.watch([keyOf(id)], { raw: true }).getReader()
  return {
    async next() {
      const { done, value } = await reader.read()
      return done ? undefined : userOf(value[0]!)
    },
    stop: () => reader.cancel(),
  }
}
