#!/usr/bin/env node
// Check this before loading anything else: an older Node.js would fail with an error of its own.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 22 || (major === 22 && minor >= 18)) {
  const { outliveReaders, reserveOutput, run } = await import('./program.ts')
  outliveReaders()
  if (process.argv.includes('--json')) reserveOutput()
  await run(process.argv)
} else {
  process.stderr.write(`valkeyrie needs Node.js 22.18 or newer, and this is ${process.versions.node}\n`)
  process.exitCode = 1
}
