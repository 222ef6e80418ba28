/** The last argument of `backup`. */
export interface BackupOptions {
  /** Is told how far the copy is, and of how much, in bytes. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** Ends the backup, which leaves nothing behind then. */
  readonly signal?: AbortSignal | undefined
  /** Let the copy take the place of a database that is at the target. Default `false`: nothing that is there is touched. */
  readonly overwrite?: boolean | undefined
}

/** A backup that was made, and what was found in it when it was checked. */
export interface Backup {
  /** The file, as an absolute path. */
  readonly path: string
  /** How large it is. */
  readonly bytes: number
  /** How many values it has, those that have expired and wait to be removed among them. */
  readonly rows: number
  /** The versionstamp of its newest commit; `null` if it has none. */
  readonly versionstamp: string | null
}

/** A backup that is in the place of a database again. */
export interface Restored extends Backup {
  /** What was there before; `null` if nothing was, or where it was not to be kept. */
  readonly kept: string | null
}
