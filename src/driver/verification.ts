/** Something in a file that is damaged, or not as this package writes it. */
export interface Finding {
  /**
   * `'file'`: the engine's own check of pages and indexes. `'catalog'`: the stored schemas. `'index'`: a declared index that is
   * missing. `'row'`: a key, its value, its version, its expiry, or the repository that it is filed under. `'log'`: a commit, or
   * commits that are missing before it.
   */
  readonly kind: 'file' | 'catalog' | 'index' | 'row' | 'log'
  /** A sentence. */
  readonly message: string
  /** For a `'row'`: its key in readable form, `["users", 7]`, or `0x00ff` for bytes that are not a key. */
  readonly key?: string
  /** For a commit in the `'log'`: its versionstamp. */
  readonly version?: string
}

/** The result of `Valkeyrie.verify`. */
export interface Verification {
  /** Whether nothing was found. */
  readonly sound: boolean
  /** The first 100 of each kind. */
  readonly findings: readonly Finding[]
  /** How many findings there are of each kind; a kind without findings is left out. */
  readonly counts: { readonly [kind: string]: number }
  /** How many rows were read. */
  readonly rows: number
  /** How many commits were read in the log. */
  readonly commits: number
}

/** The last argument of `Valkeyrie.verify`. */
export interface VerifyOptions {
  /** Ends it: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** How many milliseconds to wait for a lock that others hold. Default 5,000. */
  readonly busyTimeout?: number | undefined
}

/** What a repair has done. */
export interface Repair {
  /** The copy of the file as it was before; null if nothing of it has changed. */
  readonly backup: string | null
  /** How many indexes were rebuilt. */
  readonly rebuilt: number
  /** The indexes that were missing. */
  readonly built: readonly string[]
  /** How many rows were filed wrongly. */
  readonly filed: number
  /** What could not be done, as sentences. */
  readonly failed: readonly string[]
}
