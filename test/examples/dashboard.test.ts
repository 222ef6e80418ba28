import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeEnginesInTurn } from '../engines.ts'

const program = fileURLToPath(new URL('../../examples/dashboard.ts', import.meta.url))

describeEnginesInTurn('the dashboard', 1, (engine) =>
  it('draws what the second process writes, until that has ended', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, engine.newAddress(), '12'])
    expect(stdout).toMatch(/^cpu .* ms \(12 samples\)$/m)
    expect(stdout).toMatch(/^memory .* MB \(12 samples\)$/m)
    expect(stdout).toMatch(/^! \d\d:\d\d:\d\d 5 samples taken$/m)
    // Both metrics of a measurement are drawn together.
    const drawn = [...stdout.matchAll(/\((\d+) samples\)/g)].map(([, samples]) => samples)
    const pairs = Array.from({ length: drawn.length / 2 }, (_, i) => drawn.slice(2 * i, 2 * i + 2))
    expect(pairs.filter(([a, b]) => a !== b)).toEqual([])
  }),
)
