// Uses a file whose system calls fail, one trial for each seed that it reads, and prints a line for each: the process of io-faults.ts.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { randomOf } from '../../concurrency/random.ts'
import { FaultedWork } from '../faulted-work.ts'
import { Faults, randomFault } from '../file-calls/faults.ts'

const { path, control } = JSON.parse(process.argv[2]!) as { readonly path: string; readonly control: string }
using faults = new Faults(control)
const unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))

async function trial(seed: number) {
  const random = randomOf(seed)
  const work = new FaultedWork(path, random)
  const fault = randomFault(random)
  let failed = 0
  try {
    if (random() < 0.8) await work.open()
    const begun = random() < 0.5 ? 0 : Math.floor(random() * 20)
    await work.someSteps(begun)
    faults.begin(fault)
    await work.someSteps(1 + Math.floor(random() * 25))
    if (random() < 0.3) await work.close()
    failed = faults.end()
    await work.goOn()
    assert.deepEqual(unhandled.splice(0), [], 'promises whose failure nobody has been told of')
    return { failed, failures: work.failures }
  } catch (error) {
    faults.end()
    throw new Error(`${JSON.stringify(fault)}, ${failed} failed, after ${work.did.join(', ')}`, {
      cause: error,
    })
  } finally {
    await work.end()
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true })
  }
}

const { inspect } = await import('node:util')
for await (const seed of createInterface({ input: process.stdin })) {
  const answer = await trial(Number(seed)).catch((error) => ({ broken: inspect(error, { depth: 5 }) }))
  console.log(JSON.stringify(answer))
}
