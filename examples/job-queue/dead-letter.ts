import type { DeadLetter, Job } from './database.ts'

export function deadLetterOf({ payload, attempts }: Job, error: string): DeadLetter {
  return { payload, attempts, error, diedAt: new Date() }
}
