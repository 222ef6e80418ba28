import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TracedWait } from '../trace/channels.ts'

/** What has happened in the server's process since it started. */
export interface Figures {
  readonly conflicts: number
  readonly retries: number
  readonly waits: number
  /** Milliseconds. */
  readonly waited: number
}

/** Counts what the trace channels of this process report. */
export class ProcessFigures {
  #conflicts = 0
  #retries = 0
  #waits = 0
  #waited = 0

  constructor() {
    subscribe('valkeyrie:conflict', this.#onConflict)
    subscribe('valkeyrie:retry', this.#onRetry)
    subscribe('valkeyrie:wait', this.#onWait)
  }

  now(): Figures {
    return {
      conflicts: this.#conflicts,
      retries: this.#retries,
      waits: this.#waits,
      waited: this.#waited,
    }
  }

  end(): void {
    unsubscribe('valkeyrie:conflict', this.#onConflict)
    unsubscribe('valkeyrie:retry', this.#onRetry)
    unsubscribe('valkeyrie:wait', this.#onWait)
  }

  readonly #onConflict = () => {
    this.#conflicts += 1
  }
  readonly #onRetry = () => {
    this.#retries += 1
  }
  readonly #onWait = (message: unknown) => {
    this.#waits += 1
    this.#waited += (message as TracedWait).duration
  }
}
