/** The result of `Database.stats`. Bytes are bytes in the file, unless it says otherwise. */
export interface DatabaseStats {
  /** The newest versionstamp; null for a database without commits. */
  readonly newest: string | null
  /** One for each repository that the database knows, and one for rows without a repository, whose `repository` is null. */
  readonly repositories: readonly RepositoryStats[]
  /** One for each index over the rows. */
  readonly indexes: readonly IndexStats[]
  /** What the log keeps. */
  readonly log: LogStats
  /** The rows that expire. */
  readonly expiring: ExpiryStats
  /** What the database takes on the disk and in memory. */
  readonly file: FileStats
  /** The age of the oldest snapshot or unit of work that is open in this process, in milliseconds; null if none is open. */
  readonly oldestSnapshot: number | null
}

/** The rows of a repository. */
export interface RepositoryStats {
  /** Its name. */
  readonly repository: string | null
  /** Rows that have not expired. */
  readonly rows: number
  /** The bytes of their keys and values. */
  readonly bytes: number
}

/** An index over the rows. */
export interface IndexStats {
  /** Its name in the file. */
  readonly name: string
  /** The repository that declared it; null for the indexes that every database has. */
  readonly repository: string | null
  /** The fields that it is on. */
  readonly fields: readonly string[]
  /** Whether no two rows may agree in all of its fields. */
  readonly unique: boolean
  /** Its size; null if the engine does not say. */
  readonly bytes: number | null
}

/** The log of commits, from which other processes learn of changes. */
export interface LogStats {
  /** How many commits it keeps. */
  readonly rows: number
  /** The bytes of its rows. */
  readonly bytes: number
  /** The versionstamp of the first of them; null if it keeps none. */
  readonly oldest: string | null
  /** The versionstamp of the last of them; null if it keeps none. */
  readonly newest: string | null
}

/** The rows that expire. */
export interface ExpiryStats {
  /** Expired rows that are not removed yet: no read finds them. */
  readonly expired: number
  /** Rows that expire within a minute. */
  readonly minute: number
  /** Rows that expire within an hour, including those of the minute. */
  readonly hour: number
  /** Rows that expire within a day, including those of the hour. */
  readonly day: number
  /** When the next row expires, in milliseconds since the epoch; null if none does. */
  readonly next: number | null
}

/** The file, and how much of it is kept in memory. For a database in memory: what it takes there. */
export interface FileStats {
  /** The size of the file, without the write-ahead log. */
  readonly bytes: number
  /** How many of these are free for reuse. */
  readonly freeBytes: number
  /** The size of the write-ahead log beside it. */
  readonly walBytes: number
  /** The most that each connection of this process caches of it. */
  readonly cacheBytes: number
}

/** Bytes on the disk. */
export interface Sizes {
  /** Of the file, or of the tables on a server, with their indexes. */
  readonly rows: number
  /** Of the write-ahead log, or of the log of commits on a server. */
  readonly log: number
}

/** A commit in the log, and about how many bytes the log keeps of it. */
export interface LoggedSize {
  readonly version: number
  readonly bytes: number
}
