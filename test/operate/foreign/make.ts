// Writes the files of other stores that the tests read, with the packages of `bench/packages`: node test/operate/foreign/make.ts

import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { installPackages } from '../../../bench/packages/install.ts'
import { expiresAt, keys, values } from './values.ts'

const packages = join(import.meta.dirname, '../../../bench/packages')
const failure = installPackages(packages)
if (failure !== null) throw new Error(failure)

const load = createRequire(join(packages, 'package.json'))

function fileFor(name: string): string {
  const file = join(import.meta.dirname, name)
  rmSync(file, { force: true })
  return file
}

interface Kv {
  set(key: unknown[], value: unknown, options?: { expireIn: number }): Promise<unknown>
}

const expireIn = () => expiresAt - Date.now()

async function fill(kv: Kv, more: Record<string, unknown>): Promise<void> {
  for (const [name, value] of Object.entries({ ...values, ...more })) {
    // Each store refuses some: those that it takes are the ones to import.
    await kv.set(['values', name], value).catch(() => {})
  }
  for (const key of keys) await kv.set(['keys', ...key], 1).catch(() => {})
  await kv.set(['expires'], 1, { expireIn: expireIn() })
}

const deno = load('@deno/kv')
const denoKv = await deno.openKv(fileFor('deno-kv.sqlite'))
await fill(denoKv, { u64: new deno.KvU64(2n ** 63n) })
denoKv.close()

const { Valkeyrie } = load('valkeyrie-0.8')
const { KvU64 } = load('valkeyrie-0.8/KvU64')
const old = await Valkeyrie.open(fileFor('valkeyrie-0.8.sqlite'))
await fill(old, { u64: new KvU64(2n ** 63n) })
await old.close()

const { Keyv } = load('keyv')
const { KeyvSqlite } = load('@keyv/sqlite')
const store = new KeyvSqlite({ uri: `sqlite://${fileFor('keyv.sqlite')}` })
const keyv = new Keyv({ store })
for (const [name, value] of Object.entries({ ...values, bytes: Buffer.from([0, 255]) })) {
  await Promise.resolve()
    .then(() => keyv.set(name, value))
    .catch(() => {})
}
await keyv.set('expires', { a: 1 }, expireIn())
const users = new Keyv({ store, namespace: 'users' })
await users.set('bob', { name: 'Bob', photo: Buffer.from('hi') })
await keyv.disconnect()
process.exit(0)
