import { DatabaseClosedError } from '../contract/errors.ts'

/** A database is closed, like `Deno.errors.BadResource`. */
export class BadResource extends Error {
  override readonly name = 'BadResource'

  constructor(options?: ErrorOptions) {
    super('Bad resource ID', options)
  }
}

/** Makes a call on a closed database fail as it does in Deno. */
export async function onResource<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw error instanceof DatabaseClosedError ? new BadResource({ cause: error }) : error
  }
}
