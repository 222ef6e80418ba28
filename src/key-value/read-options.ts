import { type CallOptions, checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'

/**
 * How to read. `consistency` and `raw` are options of Deno KV: they are accepted, so that code for it runs, and have no effect.
 */
export interface ReadOptions extends CallOptions {
  /**
   * Every read is strongly consistent, whichever you ask for. In a loop that never returns to the event loop, `get` may be a
   * millisecond behind other processes.
   */
  readonly consistency?: 'strong' | 'eventual' | undefined
  /** A watch only reports changed keys. */
  readonly raw?: boolean | undefined
}

/** Throws a TypeError for an option that neither all reads take nor this one, as `own` lists them. */
export function checkReadOptions(options: ReadOptions, call: string, own: readonly string[] = []): void {
  checkOptionNames(options, [...new Set([...own, 'consistency', 'raw', 'signal'])], call)
  checkSignal(options, call)
  const { consistency, raw } = options
  if (consistency !== undefined && consistency !== 'strong' && consistency !== 'eventual') {
    throw new TypeError("consistency must be 'strong' or 'eventual', and has no effect: leave it out")
  }
  if (raw !== undefined && typeof raw !== 'boolean') {
    throw new TypeError('raw must be true or false, and has no effect: leave it out')
  }
}
