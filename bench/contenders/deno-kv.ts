import { join } from 'node:path'
import type { AtomicOperation, Kv, KvEntryMaybe } from '@deno/kv'
import { batchesOf } from '../harness/calls.ts'
import { loadPackage } from '../packages/install.ts'
import { type User, userSchema } from '../values/user.ts'
import {
  type Contender,
  type Entry,
  type Store,
  swapAges,
  versionOfAlternative,
  watcherOf,
} from './contender.ts'

export async function denoKv(): Promise<Contender> {
  const { openKv } = await loadPackage<typeof import('@deno/kv')>('@deno/kv')
  return {
    name: '@deno/kv',
    version: versionOfAlternative('@deno/kv'),
    note: 'syncs each commit to the disk (`synchronous=FULL`), and has no option for it; `getMany` takes 10 keys at most, and a commit 800 KiB',
    onlyDurability: 'full',
    open: async (dir, users) => storeOf(await openKv(join(dir, 'users.db')), users.bytes),
  }
}

interface Valkeyrie08 {
  readonly Valkeyrie: {
    withSchema(pattern: readonly string[], schema: object): { open(path: string): Promise<Kv> }
  }
}

/** An older package of this name, which has the methods of `@deno/kv`. */
export async function valkeyrie08(): Promise<Contender> {
  const { Valkeyrie } = await loadPackage<Valkeyrie08>('valkeyrie-0.8')
  return {
    name: 'valkeyrie 0.8',
    version: `${versionOfAlternative('valkeyrie-0.8')}, node:sqlite`,
    note: 'an older package of this name, another program; the same Zod schema; `getMany` takes 10 keys at most, and a commit 800 KiB',
    onlyDurability: 'normal',
    async open(dir, users) {
      const users08 = Valkeyrie.withSchema(['users', '*'], userSchema)
      return storeOf(await users08.open(join(dir, 'users.db')), users.bytes)
    },
  }
}

/** The most that one commit may write. */
const commitBytes = 800 * 1_024
const commitMutations = 1_000

const keyOf = (id: string) => ['users', id]
const userOf = ({ value }: KvEntryMaybe<unknown>) => value as User | null

/**
 * A store for values of so many bytes as JSON. `getMany` takes 10 keys, so there is none of 100; a commit takes so many rows, their
 * encoding and their keys counted.
 */
function storeOf(kv: Kv, bytes: number): Store<KvEntryMaybe<unknown>> {
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
    ...(rowsPerCommit >= 500 && { atomic }),
    async swapAges(idOfA, idOfB) {
      const [a, b] = [await kv.get(keyOf(idOfA)), await kv.get(keyOf(idOfB))]
      const [userA, userB] = [userOf(a)!, userOf(b)!]
      const sum = swapAges(userA, userB)
      await expectCommit(kv.atomic().check(a, b).set(a.key, userA).set(b.key, userB))
      return sum
    },
    list: () => kv.list({ prefix: ['users'] }, { batchSize: 500 }),
    userOfListed: (entry) => userOf(entry)!,
    async load(entries) {
      for (const batch of batchesOf(entries, rowsPerCommit)) await atomic(batch)
    },
    // Raw: what `@deno/kv` gives otherwise throws when it is cancelled.
    watch: (id) => watcherOf(kv.watch([keyOf(id)], { raw: true }), ([entry]) => userOf(entry!)),
    close: () => kv.close(),
  }
}

async function expectCommit(operation: AtomicOperation): Promise<void> {
  const { ok } = await operation.commit()
  if (!ok) throw new Error('the commit conflicts')
}
