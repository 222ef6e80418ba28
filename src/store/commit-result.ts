/**
 * What a write that was committed resolves to. The versionstamp is that of the commit: 20 lower-case hex digits, which grow
 * with each commit of the database, in whichever process. Within a unit of work it is not known yet, and another one.
 */
export interface CommitResult {
  readonly ok: true
  readonly versionstamp: string
}
