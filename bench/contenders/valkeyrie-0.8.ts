import { join } from 'node:path'
import { loadPackage } from '../packages/load.ts'
import type { Contender } from './contender.ts'
import { type Kv, kvStore } from './kv-store.ts'
import { versionOfAlternative } from './version-of.ts'

interface Package {
  readonly Valkeyrie: { open(path: string): Promise<Kv> }
}

/** The package of this name as it was before, without schemas. */
export async function valkeyrie08(): Promise<Contender> {
  const { Valkeyrie } = await loadPackage<Package>('valkeyrie-0.8')
  return {
    name: 'valkeyrie 0.8',
    version: `${versionOfAlternative('valkeyrie-0.8')}, node:sqlite`,
    note: 'without schemas; `getMany` takes 10 keys at most, and a commit 800 KiB',
    onlyDurability: 'normal',
    async open(dir, users) {
      return kvStore(await Valkeyrie.open(join(dir, 'users.db')), users.bytes)
    },
  }
}
