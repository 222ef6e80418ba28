/** The steps from an object to something in it; `under` leads to the object, null if that is the root. */
export interface Path {
  readonly under: Path | null
  readonly step: string
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/** The step to a property: `.name`, or `["full name"]` if JavaScript needs that form. */
export function propertyStep(key: string): string {
  return identifier.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

/** A path as JavaScript writes it: `value.friends[3].name`. Omits the middle of a very long one. */
export function formatPath(path: Path | null): string {
  const steps: string[] = []
  for (let at = path; at !== null; at = at.under) steps.push(at.step)
  steps.reverse()
  if (steps.length > 20) steps.splice(10, steps.length - 20, ' … ')
  return `value${steps.join('')}`
}
