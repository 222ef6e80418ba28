/**
 * How much a test does: enough to show what it promises in `npm test`, all that the promise names in `npm run torture`. It is printed, so that
 * a run says what it has shown.
 */
export function extent(what: string, usual: number, full: number): number {
  const count = process.env[fullLength] === '1' ? full : usual
  console.log(`${what}: ${count.toLocaleString('en')} of ${full.toLocaleString('en')}`)
  return count
}

/** The variable of the environment that asks for all. */
export const fullLength = 'VALKEYRIE_FULL_LENGTH'
