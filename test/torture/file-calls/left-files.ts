import type { FileCall, Suffix } from './recording.ts'

/** What a file holds, by its name; one that is not there is left out. The index of the WAL is in memory: no crash leaves it. */
export type LeftFiles = ReadonlyMap<Suffix, Buffer>

/** Bytes that a disk writes as one. */
const sector = 512

/** The files of a database as calls change them, and as a crash of the machine may leave them after any one. */
export class DiskFiles {
  readonly #written = new Map<Suffix, Buffer>()
  /** What is on the disk for sure, and the calls since. Names are: what is made or removed is made or removed. */
  readonly #synced = new Map<Suffix, { readonly kept: Buffer; readonly later: readonly FileCall[] }>()

  make(call: FileCall): void {
    const { file } = call
    if (call.call === 'mark' || file === '-shm') return
    if (call.call === 'unlink') {
      this.#written.delete(file)
      this.#synced.delete(file)
      return
    }
    const before = this.#written.get(file) ?? Buffer.alloc(0)
    const now = changed(before, call)
    this.#written.set(file, now)
    const synced = this.#synced.get(file) ?? { kept: Buffer.alloc(0), later: [] }
    if (call.call === 'sync') this.#synced.set(file, { kept: now, later: [] })
    else if (call.call !== 'open') this.#synced.set(file, { ...synced, later: [...synced.later, call] })
    else this.#synced.set(file, synced)
  }

  /** After a crash of the process: all that it has written. */
  get ofProcess(): LeftFiles {
    return this.#written
  }

  /** After a crash of the machine: what it has synced, and any of the later calls, or of their sectors. */
  ofMachine(random: () => number): LeftFiles {
    const left = new Map<Suffix, Buffer>()
    const share = random()
    for (const [file, { kept, later }] of this.#synced) {
      let now = kept
      for (const call of later) {
        if (random() >= share) continue
        const parts = random() < 0.2 ? sectorsOf(call).filter(() => random() < 0.5) : [call]
        now = parts.reduce(changed, now)
      }
      left.set(file, now)
    }
    return left
  }
}

function changed(before: Buffer, { call, offset, bytes }: FileCall): Buffer {
  if (call === 'truncate') return resized(before, offset)
  if (call !== 'write') return before
  const now = resized(before, Math.max(before.length, offset + bytes.length))
  bytes.copy(now, offset)
  return now
}

/** A copy, padded with zeros if it is longer. */
function resized(bytes: Buffer, length: number): Buffer {
  const now = Buffer.alloc(length)
  bytes.copy(now)
  return now
}

function sectorsOf(call: FileCall): FileCall[] {
  const { bytes, offset } = call
  const count = Math.ceil(bytes.length / sector)
  return Array.from({ length: count }, (_, n) => ({
    ...call,
    offset: offset + n * sector,
    bytes: bytes.subarray(n * sector, (n + 1) * sector),
  }))
}
