import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { patient, waitUntil } from '../waiting.ts'
import type { Attack, Trials } from './attack.ts'
import { Program } from './program.ts'
import { schemas, work } from './programs/job-queue.ts'

const workers = 4
const jobsPerTrial = 250
const groups = 12
const mostKills = 3
const longestLife = 400

/** Has processes work on jobs, kills one now and then, and checks what they have done. */
async function killWorkers({ random, folder, another }: Trials): Promise<{ jobs: number; kills: number }> {
  const path = join(folder, 'queue.db')
  await using db = await schemas.open(path, patient)
  const start = () => new Program('queue-worker', { path })
  const team = Array.from({ length: workers }, start)
  const enqueuedOf = new Map<string, number[]>()
  let [jobs, kills] = [0, 0]

  const enqueue = async () => {
    for (let more = 0; more < jobsPerTrial; more++) {
      const n = jobs++
      const group = random() < 0.6 ? `group ${Math.floor(random() * groups)}` : null
      const options = { priority: Math.floor(random() * 2), delay: random() < 0.1 ? random() * 50 : 0 }
      if (group === null) {
        const operation = db.atomic()
        work.enqueue(operation, { n, group }, options)
        await operation.commit()
      } else {
        enqueuedOf.set(group, [...(enqueuedOf.get(group) ?? []), n])
        await work.enqueue(db, { n, group }, { ...options, group })
      }
    }
  }
  const kill = async () => {
    for (let more = Math.ceil(random() * mostKills); more > 0; more--) {
      const victim = Math.floor(random() * workers)
      await team[victim]!.printed(1)
      await delay(random() * longestLife)
      assert.equal(await team[victim]!.kill(), 'SIGKILL')
      kills += 1
      team[victim] = start()
    }
  }

  try {
    while (another()) {
      await Promise.all([enqueue(), kill()])
      await waitUntil('the end of the jobs', async () => (await db.repositories.work.count()) === 0)
      const effects = await db.repositories.effects.findMany()
      assert.equal(effects.length, jobs)
      assert(effects.every(({ value }) => value.times === 1))
      for (const [group, enqueued] of enqueuedOf) {
        assert.deepEqual((await db.repositories.logs.get(group)).value, enqueued)
      }
      assert.deepEqual(await Array.fromAsync(db.list({ prefix: ['queues'] })), [])
    }
  } finally {
    for (const program of team) program[Symbol.dispose]()
    await Promise.all(team.map(({ ended }) => ended))
  }
  return { jobs, kills }
}

export const queueKills: Attack = {
  name: 'kill -9 of the workers of a queue',
  promise: 'Each job is done once, none is lost, and those of a group are done in their order.',
  run: killWorkers,
}
