import { decodeKey } from '../key/codec.ts'
import type { PatternIndex } from '../key/pattern-index.ts'
import { isVersion } from '../key/versionstamp.ts'
import { unsealed } from '../value/checksum.ts'
import { decodeValue } from '../value/codec.ts'
import { UnknownValueType } from '../value/read-typed.ts'
import type { LoggedChange } from './driver.ts'
import type { Finding, Verification } from './verification.ts'

const mostFindingsOfAKind = 100

/** The problems found in a database so far. */
export class Findings {
  readonly #findings: Finding[] = []
  readonly #counts = new Map<Finding['kind'], number>()

  add(finding: Finding): void {
    const count = (this.#counts.get(finding.kind) ?? 0) + 1
    this.#counts.set(finding.kind, count)
    if (count <= mostFindingsOfAKind) this.#findings.push(finding)
  }

  /** `rows` and `commits`: how many were read. */
  verification(rows: number, commits: number): Verification {
    const counts = Object.fromEntries(this.#counts)
    return { sound: this.#findings.length === 0, findings: this.#findings, counts, rows, commits }
  }
}

/** A row as it was found, whatever its columns contain. */
export interface FoundRow {
  readonly key: unknown
  readonly collection: unknown
  readonly encoding: unknown
  readonly types: unknown
  readonly version: unknown
  readonly expiresAt: unknown
  readonly value: unknown
}

/**
 * What is wrong with a row; `null` if nothing. `names`: the collections that its key may be filed under. `newest`: no row has a
 * later version.
 */
export function damageOfRow(
  { key, collection, encoding, types, version, expiresAt, value }: FoundRow,
  names: PatternIndex<string> | null,
  newest: number,
  checksums: boolean,
): string | null {
  if (!(key instanceof Uint8Array)) return 'Its key is not bytes'
  try {
    const expected = names?.find(decodeKey(key)) ?? null
    if (names !== null && expected !== collection) {
      return `It is filed under ${String(collection)}, but its key belongs to ${String(expected)}`
    }
  } catch (error) {
    return (error as Error).message
  }
  if (!isVersion(version)) return `Its version is ${String(version)}`
  if (version > newest) return `Its version is ${version}, but the newest commit is ${newest}`
  if (expiresAt !== null && typeof expiresAt !== 'number') return 'Its expiry is not a time'
  const stored = { value: value as string, encoding: encoding as number, types: types as string | null }
  const plain = checksums ? unsealed(stored) : stored
  if (plain.encoding !== encoding) return 'Its value does not match its checksum'
  try {
    decodeValue(plain.value, plain.encoding, plain.types)
    return null
  } catch (error) {
    return error instanceof UnknownValueType
      ? null
      : `Its value cannot be decoded: ${(error as Error).message}`
  }
}

/** What is wrong with a commit in the log; `null` if nothing. `changes` is `null` if they cannot be read. */
export function damageOfCommit(
  version: number,
  at: unknown,
  changes: readonly LoggedChange[] | null,
): string | null {
  if (!isVersion(version)) return 'Its version is not a version'
  if (typeof at !== 'number') return 'Its time is not a time'
  if (changes === null) return 'Its changes cannot be read'
  try {
    for (const { key, stored } of changes) {
      decodeKey(key)
      if (stored !== undefined) decodeValue(stored.value, stored.encoding, stored.types)
    }
    return null
  } catch (error) {
    return error instanceof UnknownValueType ? null : (error as Error).message
  }
}

/** Commits before this one are missing. */
export const gapInLog = 'Commits before it are missing: whoever follows changes cannot see them'
