// Follows all changes of a database, and judges them: the watcher of soak.ts. It prints what it has seen up to a version.
import assert from 'node:assert/strict'
import { writeSync } from 'node:fs'
import { openSoaked } from '../soaked.ts'

const { path, since } = JSON.parse(process.argv[2]!) as { readonly path: string; readonly since: string }
await using db = await openSoaked(path)
/** The last number of each process, which counts its commits. */
const numbers = new Map<string, number>()
let last = since
// Its stream alone keeps no process alive.
const alive = setInterval(() => {}, 60_000)
for await (const { type, key, versionstamp } of db.changes({ since })) {
  assert(versionstamp >= last, `${versionstamp} comes after ${last}`)
  last = versionstamp
  if (key[0] === 'end') {
    writeSync(1, `end ${versionstamp}\n`)
    break
  }
  if (key[0] !== 'numbered') continue
  assert.equal(type, 'set')
  const [, name, n] = key as [string, string, number]
  const before = numbers.get(name)
  // A watcher that was killed goes on in the middle.
  if (before !== undefined || since === '0'.repeat(20)) assert.equal(n, (before ?? 0) + 1, `of ${name}`)
  numbers.set(name, n)
  if (n % 10 === 0) writeSync(1, `${versionstamp} ${name} ${n}\n`)
}
clearInterval(alive)
