import { isTiming, type Outcome } from '../harness/race.ts'
import { loadPackage } from '../packages/install.ts'
import { formatDuration } from './figures.ts'

/** A picture of what was measured, as Vega-Lite has it. */
export interface Chart {
  /** Of its file, without extension. */
  readonly name: string
  readonly description: string
  readonly spec: object
}

interface Point {
  readonly contender: string
  readonly x: number
  readonly y: number
}

interface LineChart extends Pick<Chart, 'name' | 'description'> {
  /** What stands below each panel, and whether its scale is one of numbers: else each place has the same distance. */
  readonly x: { readonly title: string; readonly isLogarithmic?: boolean }
  readonly panels: readonly {
    readonly title: string
    readonly points: readonly Point[]
    readonly y?: { readonly title?: string; readonly isLogarithmic?: boolean }
  }[]
}

/** Panels side by side, with a line for each contender. */
export function lineChart({ name, description, x, panels }: LineChart): Chart {
  const contenders = [...new Set(panels.flatMap(({ points }) => points.map(({ contender }) => contender)))]
  const places = [...new Set(panels.flatMap(({ points }) => points.map((point) => point.x)))]
  const across = x.isLogarithmic
    ? { type: 'quantitative', scale: { type: 'log' }, axis: { format: '~s', values: places } }
    : { type: 'ordinal', axis: { labelAngle: 0 } }
  return {
    name,
    description,
    spec: {
      hconcat: panels.map(({ title, points, y = {} }) => ({
        title,
        width: 190,
        height: 180,
        data: { values: points },
        mark: { type: 'line', point: true },
        encoding: {
          x: { field: 'x', title: x.title, ...across },
          y: {
            field: 'y',
            type: 'quantitative',
            title: y.title ?? null,
            axis: { format: '~s' },
            ...(y.isLogarithmic && { scale: { type: 'log' } }),
          },
          color: colorOf(contenders),
        },
      })),
    },
  }
}

/** The medians in microseconds, where there are any. */
export const microsecondsOf = (
  contenders: readonly string[],
  places: readonly number[],
  outcomeOf: (contender: string, x: number) => Outcome | undefined,
): Point[] =>
  contenders.flatMap((contender) =>
    places.flatMap((x) => {
      const outcome = outcomeOf(contender, x)
      return isTiming(outcome) ? [{ contender, x, y: outcome.median / 1e3 }] : []
    }),
  )

interface DotChart extends Pick<Chart, 'name' | 'description'> {
  readonly contenders: readonly string[]
  readonly panels: readonly { readonly title: string; readonly outcomes: Readonly<Record<string, Outcome>> }[]
}

/** A panel for each task, with a point for each contender: how long it took, on a logarithmic scale. */
export function dotChart({ name, description, contenders, panels }: DotChart): Chart {
  const values = panels.flatMap(({ title, outcomes }) =>
    Object.entries(outcomes).flatMap(([contender, outcome]) =>
      isTiming(outcome) ? [{ title, contender, ...outcome, label: formatDuration(outcome.median) }] : [],
    ),
  )
  const y = { field: 'contender', type: 'nominal', sort: contenders, title: null, axis: { grid: true } }
  const scale = { type: 'log', nice: true, padding: 20 }
  const x = (field: string) => ({ field, type: 'quantitative', scale, title: null, axis: null })
  const color = { ...colorOf(contenders), legend: null }
  return {
    name,
    description,
    spec: {
      data: { values },
      columns: 3,
      facet: { field: 'title', type: 'nominal', sort: panels.map(({ title }) => title) },
      resolve: { scale: { x: 'independent' }, axis: { x: 'independent' } },
      spec: {
        width: 220,
        height: { step: 19 },
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 2 },
            encoding: { y, x: x('low'), x2: { field: 'high' }, color },
          },
          {
            mark: { type: 'point', filled: true, size: 60, opacity: 1 },
            encoding: { y, x: x('median'), color },
          },
          {
            mark: { type: 'text', align: 'left', dx: 8, fontSize: 10 },
            encoding: { y, x: x('high'), text: { field: 'label' } },
          },
        ],
      },
    },
  }
}

const colors: Readonly<Record<string, string>> = {
  'by hand': '#7f7f7f',
  valkeyrie: '#d62728',
  'valkeyrie repository': '#ff7f0e',
  'pg by hand': '#7f7f7f',
  'pg upserts': '#bcbd22',
  Drizzle: '#8c564b',
  'valkeyrie 0.8': '#1f77b4',
  '@deno/kv': '#2ca02c',
  keyv: '#9467bd',
  lmdb: '#17becf',
}

/** Each contender has the same color in all charts. */
const colorOf = (contenders: readonly string[]) => ({
  field: 'contender',
  type: 'nominal',
  sort: contenders,
  scale: { domain: contenders, range: contenders.map((name) => colors[name] ?? 'black') },
})

interface VegaLite {
  compile(spec: object): { readonly spec: object }
}

interface Vega {
  parse(spec: object): object
  View: new (runtime: object, options: { readonly renderer: 'none' }) => { toSVG(): Promise<string> }
}

/** What all charts look like. */
const config = {
  background: 'white',
  font: 'system-ui, sans-serif',
  axis: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal', gridColor: '#e6e6e6' },
  header: { labelFontSize: 12, labelFontWeight: 'bold', title: null },
  legend: { labelFontSize: 11, labelLimit: 0, title: null },
  view: { stroke: '#d0d0d0' },
}

/** A chart as SVG. */
export async function draw({ spec }: Chart): Promise<string> {
  const { compile } = await loadPackage<VegaLite>('vega-lite')
  const { parse, View } = await loadPackage<Vega>('vega')
  const svg = await new View(parse(compile({ ...spec, config }).spec), { renderer: 'none' }).toSVG()
  return `${svg}\n`
}
