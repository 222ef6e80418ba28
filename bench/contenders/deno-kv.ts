import { join } from 'node:path'
import { loadPackage } from '../packages/load.ts'
import type { Contender } from './contender.ts'
import { type Kv, kvStore } from './kv-store.ts'
import { versionOfAlternative } from './version-of.ts'

interface Package {
  openKv(path: string): Promise<Kv>
}

export async function denoKv(): Promise<Contender> {
  const { openKv } = await loadPackage<Package>('@deno/kv')
  return {
    name: '@deno/kv',
    version: versionOfAlternative('@deno/kv'),
    note: 'syncs each commit to the disk (`synchronous=FULL`), and has no option for it; `getMany` takes 10 keys at most, and a commit 800 KiB',
    onlyDurability: 'full',
    async open(dir, users) {
      return kvStore(await openKv(join(dir, 'users.db')), users.bytes)
    },
  }
}
