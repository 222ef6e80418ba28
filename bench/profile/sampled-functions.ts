import type { Profiler } from 'node:inspector'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The part of the time that a function itself took, without those that it called. */
export interface SampledFunction {
  readonly name: string
  readonly place: string
  readonly share: number
}

/** A time between two of these counts, in microseconds of the monotonic clock. */
export type Window = readonly [start: number, end: number]

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The functions that ran within the windows, which are in order: the dearest first. */
export function sampledFunctions(
  { nodes, samples = [], timeDeltas = [], startTime }: Profiler.Profile,
  windows: readonly Window[],
): SampledFunction[] {
  const functions = functionsOf(nodes)
  const times = new Map<string, { readonly name: string; readonly place: string; time: number }>()
  let total = 0
  let now = startTime
  let window = 0
  for (const [i, id] of samples.entries()) {
    const delta = timeDeltas[i]!
    now += delta
    while (window < windows.length && windows[window]![1] < now) window++
    if (window === windows.length) break
    if (now < windows[window]![0]) continue
    const { name, place } = functions.get(id)!
    total += delta
    const known = times.get(`${name} ${place}`)
    if (known === undefined) times.set(`${name} ${place}`, { name, place, time: delta })
    else known.time += delta
  }
  return [...times.values()]
    .sort((a, b) => b.time - a.time)
    .map(({ name, place, time }) => ({ name, place, share: time / total }))
}

function functionsOf(nodes: readonly Profiler.ProfileNode[]) {
  const callers = new Map(nodes.flatMap((node) => (node.children ?? []).map((id) => [id, node] as const)))
  return new Map(
    nodes.map((node) => {
      const caller = callers.get(node.id)
      return [node.id, { name: nameOf(node, caller), place: placeOf(node, caller) }]
    }),
  )
}

const callsNative = ({ callFrame }: Profiler.ProfileNode, caller: Profiler.ProfileNode | undefined) =>
  callFrame.url === '' && caller !== undefined && caller.callFrame.url !== ''

/** Of what is native, most has no name, or that of another function: who calls it tells more. */
const nameOf = (node: Profiler.ProfileNode, caller: Profiler.ProfileNode | undefined): string =>
  callsNative(node, caller) ? '(native)' : node.callFrame.functionName || '(anonymous)'

function placeOf(node: Profiler.ProfileNode, caller: Profiler.ProfileNode | undefined): string {
  if (node.callFrame.url !== '') return lineOf(node.callFrame)
  if (!callsNative(node, caller)) return ''
  const { callFrame } = caller!
  return `called by ${callFrame.functionName || 'a function'} in ${lineOf(callFrame)}`
}

function lineOf({ url, lineNumber }: { readonly url: string; readonly lineNumber: number }): string {
  const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
  return `${file}:${lineNumber + 1}`
}
