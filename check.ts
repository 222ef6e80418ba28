import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

// The checks that need no test to run, all at once: most of them keep one core busy. What they say is printed in this order.

const checks = [
  'biome check --error-on-warnings .',
  'tsc --noEmit',
  'tsc --noEmit -p src/studio/page',
  'knip',
  'vitest run test/architecture.test.ts test/reference.test.ts test/prose.test.ts',
  'publint',
]

async function run(command: string): Promise<{ readonly said: string; readonly code: number | null }> {
  const child = spawn(`${command} 2>&1`, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { said, code }
}

const running = checks.map((command) => ({ command, result: run(command) }))
for (const { command, result } of running) {
  const { said, code } = await result
  console.log(`> ${command}${code === 0 ? '' : `, which failed with ${code}`}\n${said}`)
  if (code !== 0) process.exitCode = 1
}
