/** Lets a call be aborted before its write has begun: then nothing is written. */
export interface Withdrawal {
  readonly signal: AbortSignal
  /** Whether an engine has begun to commit the write: from then on, it may be written. */
  hasBegun: boolean
}

interface Withdrawable {
  readonly withdrawal?: Withdrawal
}

/** Whether the call that makes a write was aborted before the write has begun. */
export function isWithdrawn({ withdrawal }: Withdrawable): boolean {
  return withdrawal?.signal.aborted === true && !withdrawal.hasBegun
}

/** Reports that the write may be written from now on. */
export function begin({ withdrawal }: Withdrawable): void {
  if (withdrawal !== undefined) withdrawal.hasBegun = true
}
