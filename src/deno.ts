import { Valkeyrie } from './api/valkeyrie.ts'
import { type Kv, kvOf } from './deno/kv.ts'
import { limits } from './deno/limits.ts'
import { cloneType } from './deno/raw-value.ts'

export { AtomicOperation } from './deno/atomic-operation.ts'
export { BadResource } from './deno/bad-resource.ts'
export { type ServeHandler, type ServeOptions, serve } from './deno/connect/serve.ts'
export { Kv } from './deno/kv.ts'
export type {
  AtomicCheck,
  KvCommitError,
  KvCommitResult,
  KvConsistencyLevel,
  KvEnqueueOptions,
  KvEntry,
  KvEntryMaybe,
  KvKey,
  KvKeyPart,
  KvListOptions,
  KvListSelector,
  KvMutation,
} from './deno/kv.types.ts'
export { KvU64 } from './deno/kv-u64.ts'
export { KvListIterator } from './deno/list-iterator.ts'

/**
 * Opens a database as `Deno.openKv` does: programs that are written for Deno KV run on it unchanged. Without a path, and with
 * `':memory:'`, it is in the memory of this process.
 *
 * ```ts
 * const kv = await openKv('./data.db')
 * await kv.set(['users', 'alice'], { name: 'Alice' })
 * await kv.get(['users', 'alice']) // => { key: ['users', 'alice'], value: { name: 'Alice' }, versionstamp: '…' }
 * kv.close()
 * ```
 *
 * Rejects with a TypeError for an empty path, one that begins with a colon, and an address: the client of a server is `@deno/kv`.
 */
export async function openKv(path?: string): Promise<Kv> {
  if (path === '') throw new TypeError('Filename cannot be empty')
  if (path?.startsWith(':') && path !== ':memory:')
    throw new TypeError("Filename cannot start with ':' unless prefixed with './'")
  if (path !== undefined && /^https?:\/\//i.test(path))
    throw new TypeError('openKv opens files: connect to a server with openKv of @deno/kv')
  const valueTypes = [cloneType]
  return kvOf(
    await Valkeyrie.open(path, {
      valueTypes,
      errorStacks: true,
      limits: { keyBytes: limits.readKeyBytes },
    }),
  )
}
