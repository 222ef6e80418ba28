import { onTestFinished } from 'vitest'

/** Collects the process warnings with this code until the test is over. */
export function warningsOf(code: string): Error[] {
  const warnings: Error[] = []
  const listen = (warning: Error & { code?: string }) => {
    if (warning.code === code) warnings.push(warning)
  }
  process.on('warning', listen)
  onTestFinished(() => void process.off('warning', listen))
  return warnings
}
