/** A step of a path of `types`, as superjson writes it. */
export function escapeStep(step: string): string {
  return step.includes('\\') || step.includes('.')
    ? step.replaceAll('\\', '\\\\').replaceAll('.', '\\.')
    : step
}

/** The steps of a path of `types`. Throws an Error for a backslash that escapes nothing. */
export function stepsOf(path: string): string[] {
  if (!path.includes('\\')) return path.split('.')
  const steps: string[] = []
  let step = ''
  for (let i = 0; i < path.length; i++) {
    const char = path[i]!
    if (char === '.') {
      steps.push(step)
      step = ''
    } else if (char === '\\') {
      const escaped = path[++i]
      if (escaped !== '.' && escaped !== '\\') throw new Error('its types have a path that is not one')
      step += escaped
    } else {
      step += char
    }
  }
  steps.push(step)
  return steps
}
