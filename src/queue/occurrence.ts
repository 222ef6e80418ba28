/** One time of a schedule, in milliseconds since the epoch. */
export interface Occurrence {
  readonly schedule: string
  readonly time: number
}

/** The id of the job of an occurrence: each occurrence has one job. */
export function occurrenceId({ schedule, time }: Occurrence): string {
  return `${schedule}@${new Date(time).toISOString()}`
}

/** The occurrence that a job belongs to; null for a job that was enqueued directly. */
export function occurrenceOf(job: string): Occurrence | null {
  const at = job.lastIndexOf('@')
  return at === -1 ? null : { schedule: job.slice(0, at), time: Date.parse(job.slice(at + 1)) }
}
