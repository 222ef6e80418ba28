import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'

/** How to watch. */
export interface WatchOptions {
  /** Aborting it ends the stream, as `cancel` does. A pending read resolves to `{ done: true }`. */
  readonly signal?: AbortSignal | undefined
}

/** Throws a TypeError for an option that no watch has. */
export function checkWatchOptions(
  options: WatchOptions,
  call: string,
  names: readonly string[] = ['signal'],
): void {
  checkOptionNames(options, names, call)
  checkSignal(options, call)
}
