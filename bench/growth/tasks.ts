import type { Load } from '../harness/task.ts'

export const pageRows = 20
export const listedRows = 100

export type GrowthTask = 'get' | 'set' | 'indexed page of 20' | 'list page of 100'

export const growthTasks: readonly GrowthTask[] = ['get', 'set', 'indexed page of 20', 'list page of 100']

export const growthLoads = (rounds: number): Record<GrowthTask, Load> => ({
  get: { n: 5_000, least: 500, rounds },
  'indexed page of 20': { n: 200, least: 20, rounds },
  'list page of 100': { n: 50, least: 5, rounds },
  set: { n: 2_000, least: 500, rounds },
})
