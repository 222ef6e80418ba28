/** Work that awaits what it yields. `runSteps` runs it synchronously as long as it yields no promise. */
export type Steps<T> = Generator<unknown, T, unknown>

/** The result of the work; a promise of it once the work yields a promise. */
export function runSteps<T>(steps: Steps<T>): T | Promise<T> {
  for (let step = steps.next(); ; ) {
    if (step.done) return step.value
    if (isThenable(step.value)) return runLater(steps, step.value)
    step = steps.next(step.value)
  }
}

async function runLater<T>(steps: Steps<T>, first: PromiseLike<unknown>): Promise<T> {
  let awaited: unknown = first
  for (;;) {
    let step: IteratorResult<unknown, T>
    try {
      const settled = await awaited
      step = steps.next(settled)
    } catch (error) {
      step = steps.throw(error)
    }
    if (step.done) return step.value
    awaited = step.value
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
