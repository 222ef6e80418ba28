import { accessSync, chmodSync, constants, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '../src/driver/sqlite/backup/is-alive.ts'

/** A file system in memory, on Linux. */
const memory = '/dev/shm'
const name = /^valkeyrie-tests-(\d+)$/
/** What the files of a run take at most, with room for those of others. */
const roomOfFiles = 4 * 2 ** 30
const roomOfRest = 8 * 2 ** 30

/**
 * Keeps the files of a run in memory, where that has the room: what the tests show is what a process loses when it dies, which no disk matters to,
 * and on a disk that others use too they would wait most of the time. `TMPDIR` names another folder. `npm run torture` keeps to the disk.
 */
export default function setup(): (() => void) | undefined {
  if (process.env['TMPDIR'] !== undefined || !hasRoom()) return undefined
  removeLeftOver()
  const folder = join(memory, `valkeyrie-tests-${process.pid}`)
  mkdirSync(folder)
  // A server of PostgreSQL runs as another user, with a folder of its own in this one.
  chmodSync(folder, 0o711)
  process.env['TMPDIR'] = folder
  return () => {
    delete process.env['TMPDIR']
    rmSync(folder, { recursive: true, force: true })
  }
}

function hasRoom(): boolean {
  try {
    accessSync(memory, constants.W_OK)
    const { bavail, bsize } = statfsSync(memory)
    return bavail * bsize >= roomOfFiles && process.availableMemory() >= roomOfFiles + roomOfRest
  } catch {
    // There is none here.
    return false
  }
}

/** Removes what runs have left that were killed. */
function removeLeftOver(): void {
  for (const left of readdirSync(memory)) {
    const pid = name.exec(left)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    try {
      rmSync(join(memory, left), { recursive: true, force: true })
    } catch {
      // A disk is still mounted there.
    }
  }
}
