import { ArgumentRangeError, ArgumentTypeError } from '../arguments/argument-error.ts'

const HEX_DIGITS = 20
const digits = /^[0-9a-f]{20}$/
/** The versionstamp of 2^53 - 1. As text, versionstamps order like versions. */
const latest = Number.MAX_SAFE_INTEGER.toString(16).padStart(HEX_DIGITS, '0')
const longestShown = 40
/** How many versions share the digits above the last three. */
const BLOCK = 0x1000
/** The last three digits, by their value, once needed: making all of them at the start would take a millisecond. */
const lastDigits = new Array<string | undefined>(BLOCK)

let block = -1
let firstDigits = ''
/** Rows of one commit that are read together share one versionstamp. */
let lastVersion = -1
let lastStamp = ''

/**
 * A version as a versionstamp, whose order as text is the order of versions.
 *
 * ```ts
 * formatVersionstamp(255) // '000000000000000000ff'
 * ```
 */
export function formatVersionstamp(version: number): string {
  if (version === lastVersion) return lastStamp
  // Versions that are read together mostly differ only in their last digits.
  const low = version % BLOCK
  const high = (version - low) / BLOCK
  if (high !== block) {
    firstDigits = high.toString(16).padStart(HEX_DIGITS - 3, '0')
    block = high
  }
  lastDigits[low] ??= low.toString(16).padStart(3, '0')
  lastVersion = version
  lastStamp = firstDigits + lastDigits[low]
  return lastStamp
}

/** The greatest version that a commit may have: another one must be able to follow. */
const newest = Number.MAX_SAFE_INTEGER - 1

/** Whether a commit can have this version. */
export function isVersion(version: unknown): version is number {
  return Number.isSafeInteger(version) && (version as number) > 0 && (version as number) <= newest
}

/** Whether this has a versionstamp: a version, or 0, which is older than all. */
export function isStamp(version: unknown): version is number {
  return version === 0 || isVersion(version)
}

/** A version found in a file, for an error: as a versionstamp, or as it is if it has none. */
export function versionText(version: unknown): string {
  return isVersion(version) ? formatVersionstamp(version) : String(version)
}

/**
 * Whether this is a versionstamp: text of 20 lower-case hex digits, up to that of 2^53 - 1. Use it to check text from outside,
 * such as an `If-Match` header.
 *
 * ```ts
 * isVersionstamp('00000000000000000007') // => true
 * isVersionstamp('"00000000000000000007"') // => false
 * isVersionstamp(null) // => false
 * ```
 */
export function isVersionstamp(text: unknown): text is string {
  return typeof text === 'string' && digits.test(text) && text <= latest
}

/**
 * The version that a versionstamp stands for. Throws a TypeError for anything but 20 lower-case hex digits, and a
 * RangeError beyond 2^53 - 1.
 */
export function parseVersionstamp(text: string): number {
  if (typeof text !== 'string' || !digits.test(text)) {
    throw new ArgumentTypeError(
      `A versionstamp is 20 lower-case hex digits: give the \`versionstamp\` of an entry or a commit (got ${shown(text)})`,
    )
  }
  if (text > latest) {
    throw new ArgumentRangeError(`The versionstamp ${text} is beyond 2^53 - 1, so no database has issued it`)
  }
  return Number.parseInt(text, 16)
}

function shown(value: unknown): string {
  if (typeof value !== 'string') return value === null ? 'null' : typeof value
  return JSON.stringify(value.length > longestShown ? `${value.slice(0, longestShown)}…` : value)
}
