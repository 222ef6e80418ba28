// Opens a file again and again, and lets another call on its files fail each time, every `stride`-th of them: the process of
// faulted-open.test.ts.
import assert from 'node:assert/strict'
import { copyFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DatabaseOpenError, StorageError, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { cities, countries } from '../../../schemas/index.ts'
import { type Fault, Faults } from '../file-calls/faults.ts'

interface Args {
  readonly path: string
  readonly control: string
  readonly first: number
  readonly stride: number
}
const { path, control, first, stride } = JSON.parse(process.argv[2]!) as Args
const kept = `${path}-kept`
const person = z.object({ email: z.string() })
const people = Valkeyrie.withSchema(['people', '*'], person)
const indexed = Valkeyrie.withSchema(['people', '*'], person, { indexes: [{ on: 'email', unique: true }] })
const migrated = Valkeyrie.withSchemas([countries, cities])
const migrations = fileURLToPath(new URL('../../../schemas/migrations', import.meta.url))

const openings: Record<string, { readonly isNew: boolean; open(): Promise<{ close(): Promise<void> }> }> = {
  'a new file': { isNew: true, open: () => indexed.open(path) },
  'a new file by migrations': { isNew: true, open: () => migrated.open(path, { migrations }) },
  'a file that lacks an index': { isNew: false, open: () => indexed.open(path) },
  'a file that lacks nothing': { isNew: false, open: () => people.open(path) },
  'a file to read only': { isNew: false, open: () => people.open(path, { readOnly: true }) },
}
const faults: readonly Pick<Fault, 'call' | 'error'>[] = [
  { call: 'open', error: 'EMFILE' },
  { call: 'read', error: 'EIO' },
  { call: 'write', error: 'EIO' },
  { call: 'write', error: 'ENOSPC' },
  { call: 'sync', error: 'EIO' },
  { call: 'truncate', error: 'EIO' },
  { call: 'map', error: 'ENOMEM' },
]

function forget(): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true })
}

await using sound = await people.open(kept)
await sound.set(['people', 'ann'], { email: 'ann@home' })
sound.drizzle.$client.pragma('wal_checkpoint(TRUNCATE)')

using faulty = new Faults(control)
for (const [what, { isNew, open }] of Object.entries(openings)) {
  let failures = 0
  for (const fault of faults) {
    for (let at = first; ; at += stride) {
      forget()
      if (!isNew) copyFileSync(kept, path)
      faulty.begin({ ...fault, at, length: 1, files: ['database', 'wal', 'shm', 'journal'] })
      const opened = await open().catch((error) => error)
      const failed = faulty.end()
      if (opened instanceof Error) {
        const of = `${what}: ${fault.error} at ${fault.call} ${at}: ${opened.stack}`
        assert(opened instanceof DatabaseOpenError && opened.path === path, of)
        failures += 1
      } else await opened.close()
      // Nothing is in the way of the next one.
      await (await open()).close()
      if (failed === 0) break
    }
  }
  console.log(`${what} ${failures}`)
}

// A handle opens its files once more when it needs to: where that fails, it must be able to later.
let faulted = 0
for (const error of ['EMFILE', 'EIO'] as const) {
  for (let at = 1; ; at++) {
    forget()
    const db = await people.open(path)
    const unit = () =>
      db.unitOfWork(async (inner) => {
        await inner.set(['unit'], (await inner.get(['before'])).value)
        await db.set(['beside'], true)
      })
    faulty.begin({ call: 'open', error, at, length: 1, files: ['database', 'wal', 'shm', 'journal'] })
    const failure = await unit().catch((failure) => failure)
    const failed = faulty.end()
    faulted += failed
    assert(failure === undefined || failure instanceof StorageError, `${error} at ${at}: ${failure?.stack}`)
    for (const key of ['after', 'later']) await db.set([key], true)
    await unit()
    await db.close()
    if (failed === 0) break
  }
}
console.log(`a further connection ${faulted}`)
forget()
