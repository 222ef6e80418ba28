import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseBusyError, Valkeyrie } from 'valkeyrie'
import { patient } from '../waiting.ts'
import type { Attack } from './attack.ts'
import { Program } from './program.ts'

/** A process is stopped while it holds the write lock; then it goes on, or is killed. */
async function stopHolder(path: string, isKilled: boolean): Promise<void> {
  await using db = await Valkeyrie.open(path, patient)
  await using hasty = await Valkeyrie.open(path, { busyTimeout: 50 })
  await db.set(['before'], true)
  using holder = new Program('lock-holder', { path })
  await holder.printed(1)
  holder.process.kill('SIGSTOP')

  await assert.rejects(hasty.set(['in vain'], true), DatabaseBusyError)
  assert.equal((await db.get(['before'])).value, true)
  const write = db.set(['after'], true)
  const unit = db.unitOfWork(async (inner) => inner.set(['in a unit'], (await inner.get(['before'])).value))
  if (isKilled) assert.equal(await holder.kill(), 'SIGKILL')
  else {
    holder.process.kill('SIGCONT')
    holder.tell('commit')
  }
  const [{ versionstamp }] = await Promise.all([write, unit])
  if (!isKilled) assert.equal(await holder.ended, 0)

  const keys = [['held'], ['after'], ['in a unit'], ['in vain']]
  const [held, after, inUnit, inVain] = await db.getMany(keys)
  assert.equal(held!.value, isKilled ? null : 'by the holder')
  assert.deepEqual([after!.value, inUnit!.value, inVain!.value], [true, true, null])
  if (!isKilled) assert(held!.versionstamp! < versionstamp)
}

export const stoppedHolder: Attack = {
  name: 'SIGSTOP of a process that holds the write lock',
  promise: 'Readers go on, writers wait or say DatabaseBusyError, and all goes on when it wakes or dies.',
  async run({ random, folder, another }) {
    const counted = { stops: 0 }
    for (; another(); counted.stops++) {
      await stopHolder(join(folder, `${counted.stops}.db`), random() < 0.5)
    }
    return counted
  },
}
