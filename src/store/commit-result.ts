/** What a write that was committed resolves to. */
export interface CommitResult {
  readonly ok: true
  /** The version of the commit: 20 lower-case hex digits that grow with each commit of the database. */
  readonly versionstamp: string
}
