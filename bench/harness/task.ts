/** Makes ready for `n` operations. It is called before the clock starts. */
export type Task = (n: number) => Turn | Promise<Turn>

export interface Turn {
  /** Does the operations. Its time is taken until what it returns, where that is a promise, resolves. */
  run(): unknown
  /** Throws where the answers were wrong, and clears up. It is called after the clock has stopped. */
  verify(): unknown
}

/** One of the implementations that are compared: what it cannot do, it has no task for. */
export interface Racer<Name extends string = string> {
  readonly name: string
  readonly tasks: Readonly<Partial<Record<Name, Task>>>
}

/** How often a task is done. */
export interface Load {
  /** The most operations of a turn. */
  readonly n: number
  /**
   * The fewest operations of a turn, where the slow may do fewer than the fast: as many times that, then, as they manage
   * in the time that a turn may take. Left out: all do `n`.
   */
  readonly least?: number
  /** How many times as long as usual such a turn may take. */
  readonly longer?: number
  readonly rounds: number
}

/** Those of the tasks that are wanted. */
export const wantedLoads = <Name extends string>(
  loads: Readonly<Record<Name, Load>>,
  wants: (task: NoInfer<Name>) => boolean,
): Partial<Record<Name, Load>> =>
  Object.fromEntries(Object.entries(loads).filter(([task]) => wants(task as Name))) as Partial<
    Record<Name, Load>
  >
