import { closeSync, copyFileSync, existsSync, openSync, readSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { patient } from '../waiting.ts'

/** It waits for the locks of others as long as it takes. */
const { busyTimeout: timeout } = patient
const waits = { timeout }
const headerBytes = 32
const frameHeaderBytes = 24

/** Frames of a write-ahead log that follow each other, its header first. */
interface Segment {
  readonly salt: string
  readonly bytes: Buffer
}

/**
 * Does to a file what Litestream's documentation and source say it does: creates two tables, turns off the engine's checkpoints on its
 * own connection, holds a read transaction so that nobody else restarts the log, copies new frames, and restarts the log itself while
 * it keeps all others from writing.
 */
export class Replicator {
  readonly #path: string
  readonly #base: string
  readonly #connection: Database.Database
  readonly #reader: Database.Database
  readonly #segments: Segment[] = []
  /** How often somebody else has restarted the log: its frames may never have been copied. */
  breaks = 0
  /** Whether it has restarted the log itself since the last frames. */
  #expectsNew = true

  constructor(path: string, base: string) {
    this.#path = path
    this.#base = base
    this.#connection = new Database(path, waits)
    this.#connection.pragma('journal_mode = wal')
    this.#connection.pragma('wal_autocheckpoint = 0')
    this.#connection.exec(`CREATE TABLE IF NOT EXISTS _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER);
      CREATE TABLE IF NOT EXISTS _litestream_lock (id INTEGER);`)
    this.#reader = new Database(path, waits)
    this.#reader.pragma('wal_autocheckpoint = 0')
    this.#connection.pragma('wal_checkpoint(TRUNCATE)')
    this.#hold()
    copyFileSync(path, base)
    this.#bump()
  }

  /** Copies the frames that have come. */
  sync(): void {
    const bytes = this.#readLog()
    const salt = bytes.subarray(16, 24).toString('hex')
    const last = this.#segments.at(-1)
    if (last?.salt === salt) {
      this.#segments[this.#segments.length - 1] = { salt, bytes }
      return
    }
    if (!this.#expectsNew) this.breaks += 1
    this.#expectsNew = false
    this.#segments.push({ salt, bytes })
  }

  /** Copies what there is, then restarts the log. */
  checkpoint(): void {
    this.sync()
    this.#reader.exec('ROLLBACK')
    this.#connection.pragma('wal_checkpoint(RESTART)')
    // The next frame is of a new log, and it is this one's: others wait for it.
    this.#connection.exec('BEGIN IMMEDIATE')
    this.#connection.exec(
      'INSERT INTO _litestream_seq (id, seq) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET seq = seq + 1',
    )
    this.#connection.exec('COMMIT')
    this.#expectsNew = true
    this.#hold()
    this.sync()
  }

  /** The replica as a file: the base, and the frames of each log in their order. */
  restore(target: string): void {
    this.sync()
    copyFileSync(this.#base, target)
    for (const { bytes } of this.#segments) {
      writeFileSync(`${target}-wal`, bytes)
      const connection = new Database(target)
      connection.pragma('wal_checkpoint(TRUNCATE)')
      connection.close()
    }
  }

  close(): void {
    this.#reader.close()
    this.#connection.close()
  }

  #hold(): void {
    this.#reader.exec('BEGIN')
    this.#reader.prepare('SELECT count(*) FROM _litestream_seq').get()
  }

  #bump(): void {
    this.#connection.exec(
      'INSERT INTO _litestream_seq (id, seq) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET seq = seq + 1',
    )
  }

  /** Up to the last frame of this log: those of the one before follow it. */
  #readLog(): Buffer {
    if (!existsSync(`${this.#path}-wal`)) throw new Error('there is no write-ahead log')
    const file = openSync(`${this.#path}-wal`, 'r')
    try {
      const header = Buffer.alloc(headerBytes)
      readSync(file, header, 0, headerBytes, 0)
      const pageBytes = header.readUInt32BE(8)
      const frame = Buffer.alloc(frameHeaderBytes + pageBytes)
      const frames: Buffer[] = []
      for (
        let at = headerBytes;
        readSync(file, frame, 0, frame.length, at) === frame.length;
        at += frame.length
      ) {
        if (Buffer.compare(frame.subarray(8, 16), header.subarray(16, 24)) !== 0) break
        frames.push(Buffer.from(frame))
      }
      return Buffer.concat([header, ...frames])
    } finally {
      closeSync(file)
    }
  }
}
