import { join } from 'node:path'
import { loadPackage } from '../packages/load.ts'
import { userSchema } from '../values/user.ts'
import type { Contender } from './contender.ts'
import { type Kv, kvStore } from './kv-store.ts'
import { versionOfAlternative } from './version-of.ts'

interface Package {
  readonly Valkeyrie: {
    withSchema(pattern: readonly string[], schema: object): { open(path: string): Promise<Kv> }
  }
}

/** An older package of this name. */
export async function valkeyrie08(): Promise<Contender> {
  const { Valkeyrie } = await loadPackage<Package>('valkeyrie-0.8')
  return {
    name: 'valkeyrie 0.8',
    version: `${versionOfAlternative('valkeyrie-0.8')}, node:sqlite`,
    note: 'an older package of this name, another program; the same Zod schema; `getMany` takes 10 keys at most, and a commit 800 KiB',
    onlyDurability: 'normal',
    async open(dir, users) {
      const users08 = Valkeyrie.withSchema(['users', '*'], userSchema)
      return kvStore(await users08.open(join(dir, 'users.db')), users.bytes)
    },
  }
}
