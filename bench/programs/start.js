// JavaScript, as the programs that import it: to take the types out of a file costs Node.js more than what is measured.

/** @param {{ name: string }} value */
export function expectAlice({ name }) {
  if (name !== 'Alice') throw new Error(`read ${name}`)
}

/** Prints the resident memory of the process, in bytes, where its second argument asks for it. */
export function tellMemory() {
  if (process.argv[3] !== 'memory') return
  process.getBuiltinModule('node:fs').writeSync(1, String(process.memoryUsage.rss()))
}
