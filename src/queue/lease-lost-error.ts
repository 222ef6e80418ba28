/**
 * Another worker has taken the job, because the lease ran out: the process had stopped, or its event loop was blocked for longer
 * than `lease`. Or the job was removed, or the worker gave it back when it was stopped or the database closed.
 */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  /** Identifies its class, across versions and copies of this package. */
  readonly code = 'LEASE_LOST'
  /** The name of the queue. */
  readonly queue: string
  /** The id of the job. */
  readonly job: string

  constructor(queue: string, job: string) {
    super(
      `Job ${job} of the queue '${queue}' no longer belongs to this worker: another one has taken it, it was removed, or the worker gave it back`,
    )
    this.queue = queue
    this.job = job
  }
}
