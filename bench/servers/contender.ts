import type { Entry } from '../contenders/contender.ts'

import type { User } from '../values/user.ts'

/** Something that keeps users on a server, by their ids. */
export interface ServerContender {
  readonly name: string
  readonly note: string
  open(address: string): Promise<ServerStore>
}

/** Each method is done when the server has acknowledged it. What a contender does not do it does not have. */
export interface ServerStore {
  /** Once, into tables that it makes. */
  load(entries: readonly Entry[]): Promise<unknown>
  get?(id: string): Promise<User | null | undefined>
  /** The first twenty of this age, by their ids. */
  page?(age: number): Promise<readonly User[]>
  set(id: string, user: User): Promise<unknown>
  /** Writes that are independent of one another. */
  setsAtOnce(entries: readonly Entry[]): Promise<unknown>
  /** All or none. */
  atomic(entries: readonly Entry[]): Promise<unknown>
  /** Swaps the ages of two users that nobody may change meanwhile. */
  swapAges?(a: string, b: string): Promise<unknown>
  close(): Promise<unknown>
}
