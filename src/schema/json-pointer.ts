/** The name that a step of a JSON pointer stands for, as in `#/properties/age`. A step with a wrong percent sign is taken as it is. */
export function nameOfStep(step: string): string {
  return decoded(step).replaceAll('~1', '/').replaceAll('~0', '~')
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
