import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Attack } from './attack.ts'
import { DiskFiles, type LeftFiles } from './file-calls/left-files.ts'
import { preloaded, preloadObstacle } from './file-calls/preload.ts'
import { type FileCall, Recording, readRecording } from './file-calls/recording.ts'
import { expectStateAfter } from './numbered-commits.ts'
import { Program } from './program.ts'

/** States of a recording that are opened, before another one is made. */
const statesOfOne = 400

/** The calls on its files that a process has made which commits, checkpoints, closes and opens again. */
async function record(folder: string, seed: number, durability: 'normal' | 'full'): Promise<FileCall[]> {
  const [path, log] = [join(folder, 'recorded.db'), join(folder, 'calls')]
  Recording.makeFile(log)
  const args = { path, log, seed, durability }
  using program = new Program('recorded-work', args, preloaded(folder, { path, log }))
  assert.equal(await program.ended, 0)
  rmSync(path)
  return readRecording(log)
}

async function expectLeft(path: string, files: LeftFiles, least: number, most: number): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true })
  for (const [suffix, bytes] of files) writeFileSync(`${path}${suffix}`, bytes)
  await expectStateAfter(path, least, most)
}

export const lostWrites: Attack = {
  name: 'crash states at each write and sync',
  promise:
    'After a crash of the process all that was acknowledged is there; after one of the machine too, where the durability is full, and else the state after some earlier commit.',
  obstacle: preloadObstacle,
  async run({ random, folder, another }) {
    const counted = { calls: 0, 'states after a crash of the process': 0, 'and of the machine': 0 }
    const path = join(folder, 'left.db')
    let more = another()
    for (let trial = 0; more; trial++) {
      const durability = trial % 2 === 0 ? 'full' : 'normal'
      const seed = Math.floor(random() * 2 ** 31)
      const calls = await record(folder, seed, durability)
      counted.calls += calls.length
      const files = new DiskFiles()
      let [begun, done] = [0, 0]
      for (const [at, call] of calls.entries()) {
        files.make(call)
        if (call.call === 'mark') {
          const [word, n] = call.bytes.toString().split(' ')
          if (word === 'begun') begun = Number(n)
          else done = Number(n)
        }
        // As many as are opened of one recording, wherever they lie.
        if (!more || random() >= statesOfOne / 2 / calls.length) continue
        const of = `state ${at} of ${calls.length}, seed ${seed}, ${durability}`
        const failed = (cause: unknown) => assert.fail(new Error(of, { cause }))
        await expectLeft(path, files.ofProcess, done, begun).catch(failed)
        const least = durability === 'full' ? done : 0
        await expectLeft(path, files.ofMachine(random), least, begun).catch(failed)
        counted['states after a crash of the process'] += 1
        counted['and of the machine'] += 1
        more = another()
      }
      if (more) more = another()
    }
    return counted
  },
}
