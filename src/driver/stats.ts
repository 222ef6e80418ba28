/** What `Database.stats` tells. Bytes are those of the file, unless it says otherwise. */
export interface DatabaseStats {
  /** The newest versionstamp; null for a database without commits. */
  readonly newest: string | null
  /** Of each repository that the database knows, and of the rows of none, whose `repository` is null. */
  readonly repositories: readonly RepositoryStats[]
  /** Of each index over the rows. */
  readonly indexes: readonly IndexStats[]
  /** What the log keeps. */
  readonly log: LogStats
  /** The rows that expire. */
  readonly expiring: ExpiryStats
  /** What the database takes on the disk and in memory. */
  readonly file: FileStats
  /** The age of the oldest snapshot or unit of work that is open in this process, in milliseconds; null: none is. */
  readonly oldestSnapshot: number | null
}

/** The rows of a repository. */
export interface RepositoryStats {
  /** Its name. */
  readonly repository: string | null
  /** Rows that have not expired. */
  readonly rows: number
  /** The bytes of their keys and of what is stored under them. */
  readonly bytes: number
}

/** An index over the rows. */
export interface IndexStats {
  /** Its name in the file. */
  readonly name: string
  /** What has declared it; null for those that every database has. */
  readonly repository: string | null
  /** The fields that it is on. */
  readonly fields: readonly string[]
  /** Whether no two rows may agree in all of its fields. */
  readonly unique: boolean
  /** Null where the engine does not tell. */
  readonly bytes: number | null
}

/** The log of commits, from which other processes learn of changes. */
export interface LogStats {
  /** How many commits it keeps. */
  readonly rows: number
  /** The bytes of what it says of them. */
  readonly bytes: number
  /** The versionstamp of the first of them; null if it keeps none. */
  readonly oldest: string | null
  /** The versionstamp of the last of them; null if it keeps none. */
  readonly newest: string | null
}

/** The rows that expire. */
export interface ExpiryStats {
  /** Rows that have expired and are still to be removed: no read finds them. */
  readonly expired: number
  /** Rows that expire within a minute. */
  readonly minute: number
  /** Rows that expire within an hour, those of the minute too. */
  readonly hour: number
  /** Rows that expire within a day, those of the hour too. */
  readonly day: number
  /** When the next one expires, in milliseconds since the epoch; null: none does. */
  readonly next: number | null
}

/** The file, and what is kept of it in memory. Of a database in memory: what it takes there. */
export interface FileStats {
  /** The size of the file, without the write-ahead log. */
  readonly bytes: number
  /** Of these, what is free to be used again. */
  readonly freeBytes: number
  /** What stands in the write-ahead log beside it. */
  readonly walBytes: number
  /** The most that each connection of this process keeps of it in memory. */
  readonly cacheBytes: number
}
