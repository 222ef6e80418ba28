import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Attack } from './attack.ts'
import { Faults } from './file-calls/faults.ts'
import { preloaded, preloadObstacle } from './file-calls/preload.ts'
import { Program } from './program.ts'

type Answer = { readonly failed: number; readonly failures: number } | { readonly broken: string }

export const ioFaults: Attack = {
  name: 'I/O errors',
  promise:
    'A call whose file fails is a KvError, nothing of it is there, all else is, and the handle goes on.',
  obstacle: preloadObstacle,
  async run({ random, folder, another }) {
    const path = join(folder, 'data.db')
    const control = join(folder, 'faults')
    Faults.makeFile(control)
    using program = new Program(
      'faulted-work',
      { path, control },
      preloaded(folder, { path, faults: control }),
    )
    let [trials, failed, failures] = [0, 0, 0]
    for (; another(); trials++) {
      const seed = Math.floor(random() * 2 ** 31)
      program.tell(String(seed))
      await program.printed(trials + 1).catch((cause) => {
        throw new Error(`at the trial of seed ${seed}`, { cause })
      })
      const answer = JSON.parse(program.lines.at(-1)!) as Answer
      if ('broken' in answer) assert.fail(`the trial of seed ${seed}: ${answer.broken}`)
      failed += answer.failed
      failures += answer.failures
    }
    // A fault may come too late for the calls of its trial.
    const happened = { 'failed calls on files': failed, 'failed calls of the store': failures }
    return Object.fromEntries(Object.entries(happened).filter(([, count]) => count > 0))
  },
}
