/** The largest sizes that a database accepts. Set any of them with the option `limits` of `open`. */
export interface Limits {
  /** The longest encoded key, in bytes. Default 2,048. */
  readonly keyBytes: number
  /** The largest stored value, in bytes of its encoded form. Default 16 MiB. */
  readonly valueBytes: number
  /** The most checks and mutations of one atomic commit. Default 1,000,000. */
  readonly commitOperations: number
}

export const defaultLimits: Limits = {
  keyBytes: 2_048,
  valueBytes: 16 * 1024 * 1024,
  commitOperations: 1_000_000,
}
