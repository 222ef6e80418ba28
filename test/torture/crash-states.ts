import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Attack } from './attack.ts'
import { commitNumber, expectStateAfter, openNumbered } from './numbered-commits.ts'

const commits = 3
/** Bytes of a frame of the write-ahead log: its header and a page. */
const frame = 24 + 4_096

/**
 * Lets commits follow one another and keeps the files after each. A crash leaves any beginning of what was appended to the log
 * since, perhaps with a torn page; a crash in a checkpoint leaves some pages of the file new and others old.
 */
async function crash(folder: string, random: () => number): Promise<number> {
  const path = join(folder, 'data.db')
  const copy = join(folder, 'copy.db')
  let states = 0
  const state = async (file: Buffer, log: Buffer, least: number, most: number) => {
    writeFileSync(copy, file)
    writeFileSync(`${copy}-wal`, log)
    rmSync(`${copy}-shm`, { force: true })
    await expectStateAfter(copy, least, most)
    states += 1
  }
  await using db = await openNumbered(path)
  let appended = readFileSync(`${path}-wal`).length
  for (let n = 1; n <= commits; n++) {
    await commitNumber(db, n, Math.floor(random() * 12_000))
    const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)]
    await state(file, log, n, n)
    for (let end = appended; end < log.length; end += frame) {
      await state(file, log.subarray(0, end), n - 1, n - 1)
      const torn = Buffer.from(log.subarray(0, end + frame))
      torn.fill(0, end + Math.floor(random() * frame))
      await state(file, torn, n - 1, n)
    }
    appended = log.length
  }
  const [before, log] = [readFileSync(path), readFileSync(`${path}-wal`)]
  db.drizzle.$client.pragma('wal_checkpoint(PASSIVE)')
  const after = readFileSync(path)
  for (let mix = 0; mix < 5; mix++) {
    const file = Buffer.from(after)
    for (let page = 0; page < before.length; page += 4_096) {
      if (random() < 0.5) before.copy(file, page, page, page + 4_096)
    }
    await state(file, log, commits, commits)
  }
  return states
}

export const crashStates: Attack = {
  name: 'crash states of the write-ahead log',
  promise: 'Every beginning of what was written opens as the state after some commit, the last whole one.',
  async run({ random, folder, another }) {
    let states = 0
    for (let trial = 1; another(); trial++) {
      const own = join(folder, String(trial))
      mkdirSync(own)
      states += await crash(own, random)
      rmSync(own, { recursive: true })
    }
    return { states }
  },
}
