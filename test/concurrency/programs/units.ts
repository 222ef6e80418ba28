// Runs random units of work and prints for each that was committed what it saw and wrote: the processes of serializability.test.ts.
import { ConflictError, KvU64, type OpenOptions, type UnitOfWork, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { patient } from '../../waiting.ts'
import type { CommittedUnit, Step } from '../history.ts'
import { randomOf } from '../random.ts'

interface Arguments {
  readonly path: string
  readonly process: number
  readonly seed: number
  readonly units: number
  readonly atOnce: number
  readonly keepRows: number
  /** Of `open`, besides these. */
  readonly options?: OpenOptions
}

const {
  path,
  process: number,
  seed,
  units,
  atOnce,
  keepRows,
  options,
} = JSON.parse(process.argv[2]!) as Arguments
const keys = 16
const suffixes = 4

const open = () =>
  Valkeyrie.withSchema(['items', '*'], z.object({ text: z.string(), group: z.string() }), {
    name: 'items',
    indexes: [{ on: 'group' }],
  })
    .withSchema(['counters', '*'], z.instanceof(KvU64), { name: 'counters' })
    .withSchema(['units', '*'], z.int(), { name: 'units' })
    .open(path, { log: { keepRows }, ...patient, ...options })

type Db = Awaited<ReturnType<typeof open>>
type Unit = Db extends { unitOfWork(work: (unit: infer U) => never): unknown } ? U : never

interface Queried {
  findMany?(query: { where: { group: string } }): Promise<{ id: string }[]>
}

const db = await open()
const random = randomOf(seed * 31 + number)
const below = (n: number) => Math.floor(random() * n)
const anItem = () => `i${String(below(keys)).padStart(2, '0')}`
let writes = 0

/** Texts of values are unique, so that a value shows which write it is from. */
function newText(): string {
  writes += 1
  return `${number}-${writes}-${below(suffixes)}`
}

const value = (text: string) => ({ text, group: text.slice(-1) })

/** Draws the steps of a unit beforehand, so that a function that is run again does the same. */
function drawUnit(): ((unit: Unit, steps: Step[]) => Promise<void>)[] {
  const readOnly = random() < 0.2
  return Array.from({ length: 1 + below(5) }, () => drawStep(readOnly ? below(5) : below(11)))
}

function drawStep(kind: number): (unit: Unit, steps: Step[]) => Promise<void> {
  const key = anItem()
  const other = anItem()
  const text = newText()
  const counter = `c${below(3)}`
  const limit = random() < 0.5 ? 3 : 100
  const reverse = random() < 0.5
  const suffix = `-${below(suffixes)}`
  const n = 1 + below(5)
  const [start, end] = key < other ? [key, other] : ['i', 'j']
  const get = async ({ repositories: { items } }: Unit, steps: Step[]) => {
    const entry = await items.get(key)
    steps.push({ type: 'get', key, seen: entry.value?.text ?? null })
    return entry.value
  }
  switch (kind) {
    case 0:
      return async (unit, steps) => void (await get(unit, steps))
    case 1:
      return async (unit, steps) => {
        const seen: [string, string][] = []
        const range = start === 'i' ? {} : { start, end }
        for await (const { id, value } of unit.repositories.items.list(range, {
          limit,
          reverse,
          batchSize: 4,
        })) {
          seen.push([id as string, value.text])
        }
        steps.push({ type: 'list', start, end, limit, reverse, seen })
      }
    case 2:
      return async (unit, steps) => {
        steps.push({ type: 'count', start: 'i', end: 'j', seen: await unit.repositories.items.count() })
      }
    case 3:
      return async (unit, steps) => {
        const found = await unit.repositories.counters.get(counter)
        steps.push({
          type: 'get',
          key: counter,
          seen: found.value === null ? null : String(found.value.value),
        })
      }
    case 4:
      return async (unit, steps) => {
        const { items } = unit.repositories as unknown as { items: Queried }
        if (items.findMany === undefined) return
        const found = await items.findMany({ where: { group: suffix.slice(1) } })
        steps.push({ type: 'query', suffix, seen: found.map(({ id }) => id).sort() })
      }
    case 5:
      return async (unit, steps) => {
        await unit.repositories.items.set(key, value(text))
        steps.push({ type: 'set', key, value: text })
      }
    case 6:
      return async (unit, steps) => {
        const seen = await get(unit, steps)
        await unit.set(['items', other], value(seen === null ? text : `${text.slice(0, -1)}${seen.group}`))
        steps.push({
          type: 'set',
          key: other,
          value: seen === null ? text : `${text.slice(0, -1)}${seen.group}`,
        })
      }
    case 7:
      return async (unit, steps) => {
        const seen = await get(unit, steps)
        const deleted = await unit.repositories.items.delete(key)
        if (deleted !== (seen !== null)) throw new Error(`delete gave ${deleted} for ${JSON.stringify(seen)}`)
        steps.push({ type: 'delete', key })
      }
    case 8:
      return async (unit, steps) => {
        await unit.repositories.counters.sum(counter, BigInt(n))
        steps.push({ type: 'add', key: counter, n })
      }
    case 9:
      return async (unit, steps) => {
        const seen = await get(unit, steps)
        if (seen === null) return
        Object.assign(seen, value(text)) // changed in place
        steps.push({ type: 'set', key, value: text })
      }
    default:
      return async (unit, steps) => {
        const found = await unit.repositories.items.get(key)
        steps.push({ type: 'get', key, seen: found.value?.text ?? null })
        if (found.value === null) await unit.repositories.items.insert(key, value(text))
        else await unit.repositories.items.update(key, value(text))
        steps.push({ type: 'set', key, value: text })
      }
  }
}

const committed: { name: string; steps: Step[]; wrote: boolean }[] = []
let attempts = 0
let gaveUp = 0

/** A write that is no unit of work, among them. */
async function writeAlone(name: string, id: number): Promise<void> {
  const key = anItem()
  const text = newText()
  const result = await db.atomic().set(['items', key], value(text)).set(['units', name], id).commit()
  if (!result.ok) throw new Error('a write without checks met a conflict')
  committed.push({ name, steps: [{ type: 'set', key, value: text }], wrote: true })
}

async function runUnit(name: string, id: number): Promise<void> {
  const program = drawUnit()
  let steps: Step[] = []
  let wrote = false
  const work = async (unit: UnitOfWork<never> | Unit) => {
    attempts += 1
    steps = []
    for (const step of program) await step(unit as Unit, steps)
    wrote = steps.some(({ type }) => type === 'set' || type === 'delete' || type === 'add')
    // Its versionstamp shows the place of the unit.
    if (wrote) await (unit as Unit).repositories.units.set(name, id)
  }
  try {
    await db.unitOfWork(work)
    committed.push({ name, steps, wrote })
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    gaveUp += 1
  }
}

process.send!('ready')
process.once('message', async () => {
  let next = 0
  const lane = async () => {
    while (next < units) {
      const id = next++
      const name = `${number}/${id}`
      await (random() < 0.1 ? writeAlone(name, id) : runUnit(name, id))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  const versions = new Map<string, string>()
  for await (const { id, versionstamp } of db.repositories.units.list())
    versions.set(id as string, versionstamp)
  await db.close()
  const history: CommittedUnit[] = committed.map(({ name, steps, wrote }) => ({
    name,
    steps,
    version: wrote ? versions.get(name)! : null,
  }))
  process.send!({ history, attempts, gaveUp }, () => process.disconnect())
})
