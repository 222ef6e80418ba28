import type { Socket } from 'node:net'
import type Pg from 'pg'

/** Missing in its types: the socket, to end a connection without waiting for answers, and the process of the server. */
export type OpenClient = Pg.Client & {
  readonly connection: { readonly stream: Socket }
  readonly processID: number | null
  ref(): void
  unref(): void
}
