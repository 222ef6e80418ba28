/** What a thread is asked. */
export interface Request {
  readonly name: string
  readonly args: readonly unknown[]
}

/** What it answers. An error that is copied to another thread loses its class and its facts: these are sent. */
export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: { readonly message: string; readonly code: string | undefined } }

/** Asks a thread to end. */
export const end = null
