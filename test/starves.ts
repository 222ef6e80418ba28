/** Whether a timer waits in vain while calls are awaited one after the other. */
export async function starves(call: (n: number) => Promise<unknown>): Promise<boolean> {
  let isFired = false
  const timer = setTimeout(() => {
    isFired = true
  }, 5)
  for (let n = 0; n < 50_000 && !isFired; n++) {
    try {
      await call(n)
    } catch {}
  }
  clearTimeout(timer)
  return !isFired
}
