/** Milliseconds until the timer is due, and for which it waits then at least before it counts as starved. */
const delay = 5
const patience = 100
/** The fewest calls meanwhile: a machine that stands still for a while starves nobody. */
const fewestCalls = 50_000

/** Whether a timer waits in vain while calls are awaited one after the other. */
export async function starves(call: (n: number) => Promise<unknown>): Promise<boolean> {
  let isFired = false
  const timer = setTimeout(() => {
    isFired = true
  }, delay)
  const end = performance.now() + delay + patience
  for (let n = 0; !isFired && (n < fewestCalls || performance.now() < end); n++) {
    try {
      await call(n)
    } catch {}
  }
  clearTimeout(timer)
  return !isFired
}
