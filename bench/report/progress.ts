/** Tells on the error stream what is being done: on one line of a terminal, else on a line for each step. */
export function progress(): { step(text: string): void; end(): void } {
  const { stderr } = process
  const clear = stderr.isTTY ? '\r\x1b[K' : ''
  const started = performance.now()
  return {
    step(text) {
      const seconds = ((performance.now() - started) / 1_000).toFixed(0)
      stderr.write(`${clear}${seconds} s  ${text}${stderr.isTTY ? '' : '\n'}`)
    },
    end() {
      stderr.write(clear)
    },
  }
}
