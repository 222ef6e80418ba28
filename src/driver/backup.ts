/** The last argument of `backup`. */
export interface BackupOptions {
  /** Gets the bytes copied so far, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** Stops the backup, which then leaves nothing behind. */
  readonly signal?: AbortSignal | undefined
  /** Replace a database that is at the target. Default `false`: an existing file is never touched. */
  readonly overwrite?: boolean | undefined
}

/** A finished backup, and what the check found in it. */
export interface Backup {
  /** The file, as an absolute path. */
  readonly path: string
  /** How large it is. */
  readonly bytes: number
  /** How many values it has, including expired ones that are not removed yet. */
  readonly rows: number
  /** The versionstamp of its newest commit; `null` if it has none. */
  readonly versionstamp: string | null
}

/** A backup that was restored as a database. */
export interface Restored extends Backup {
  /** The path of the replaced database; `null` if there was none, or if it was not kept. */
  readonly kept: string | null
}
