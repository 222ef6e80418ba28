import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { isOnServer } from '../data/catalog.ts'
import { type Sample, samples } from '../data/history.ts'
import { scheme } from '../parts/theme.tsx'
import { bytesText } from './health-view.tsx'

interface Line {
  readonly label: string
  readonly colour: string
  readonly of: (sample: Sample, before: Sample | undefined) => number
}

const perSecond =
  (name: 'conflicts' | 'retries' | 'waits' | 'waited') => (sample: Sample, before: Sample | undefined) =>
    before === undefined ? 0 : Math.max(0, sample[name] - before[name])

interface ChartOf {
  readonly title: string
  readonly text: (value: number) => string
  readonly lines: readonly Line[]
}

const sizes = (title: string, rows: string): ChartOf => ({
  title,
  text: bytesText,
  lines: [
    { label: rows, colour: '--chart-1', of: (sample) => sample.rows },
    { label: 'log', colour: '--chart-3', of: (sample) => sample.log },
  ],
})
const sizesOfFile = sizes('Size of the file and of its write-ahead log', 'file')
const sizesOnServer = sizes('Size of the rows with their indexes, and of the log of commits', 'rows')

const charts: readonly ChartOf[] = [
  {
    title: 'Commits and changes a second',
    text: String,
    lines: [
      { label: 'commits', colour: '--chart-1', of: ({ commits }) => commits },
      { label: 'changes', colour: '--chart-2', of: ({ changes }) => changes },
    ],
  },
  {
    title: 'Conflicts and waits a second, of the studio itself',
    text: String,
    lines: [
      { label: 'conflicts', colour: '--chart-3', of: perSecond('conflicts') },
      { label: 'retries', colour: '--chart-2', of: perSecond('retries') },
      { label: 'waits', colour: '--chart-1', of: perSecond('waits') },
    ],
  },
  {
    title: 'Milliseconds waited a second, of the studio itself',
    text: (value) => value.toFixed(0),
    lines: [{ label: 'waited', colour: '--chart-1', of: perSecond('waited') }],
  },
]

/** The activity, second by second. */
export function ActivityView() {
  const last = samples.value.at(-1)
  return (
    <section class="page">
      <div class="title">
        <h2>Activity</h2>
        <span class="grow" />
        <span class="hint">the last ten minutes, while this page is open</span>
      </div>
      <div class="charts">
        {[...charts, isOnServer.value ? sizesOnServer : sizesOfFile].map(({ title, text, lines }) => (
          <figure key={title}>
            <figcaption>
              {title}
              {lines.map(({ label, of }, at) => (
                <span key={label} class={`legend line-${at}`} data-colour={lines[at]!.colour}>
                  <i class={lines[at]!.colour.slice(2)} aria-hidden="true" />
                  {label} {last === undefined ? '' : text(of(last, samples.value.at(-2)))}
                </span>
              ))}
            </figcaption>
            <Chart lines={lines} text={text} title={title} />
          </figure>
        ))}
      </div>
    </section>
  )
}

function Chart({
  lines,
  text,
  title,
}: {
  readonly lines: readonly Line[]
  readonly text: (value: number) => string
  readonly title: string
}) {
  const place = useRef<HTMLDivElement>(null)
  const drawn = useRef<uPlot | undefined>(undefined)
  useEffect(() => {
    const { current } = place
    const style = getComputedStyle(current!)
    const colour = (name: string) => style.getPropertyValue(name).trim()
    const axis = {
      stroke: colour('--faint'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui',
    }
    const size = () => ({ width: Math.max(200, current!.clientWidth), height: 170 })
    const plot = new uPlot(
      {
        ...size(),
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [
          { ...axis, size: 30, values: (_, times) => times.map(clockText) },
          { ...axis, size: 64, incrs: steps, values: (_, values) => values.map(text) },
        ],
        series: [
          {},
          ...lines.map(({ label, colour: name }, at) => ({
            label,
            stroke: colour(name),
            width: 1.5,
            fill: at === 0 ? `color-mix(in srgb, ${colour(name)} 13%, transparent)` : 'transparent',
            points: { show: false },
          })),
        ],
      },
      dataOf(lines),
      current!,
    )
    drawn.current = plot
    const observer = new ResizeObserver(() => plot.setSize(size()))
    observer.observe(current!)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [scheme.value])
  const shown = samples.value
  useEffect(() => drawn.current?.setData(dataOf(lines)), [shown])
  return <div class="chart" ref={place} role="img" aria-label={title} />
}

/** Steps between the lines of a chart: 1, 2, 5, 10 and so on, because counts have no fractions. */
const steps = Array.from({ length: 45 }, (_, at) => [1, 2, 5][at % 3]! * 10 ** Math.floor(at / 3))

function clockText(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString('en-GB')
}

function dataOf(lines: readonly Line[]): uPlot.AlignedData {
  const shown = samples.value
  return [
    shown.map(({ at }) => at),
    ...lines.map(({ of }) => shown.map((sample, at) => of(sample, shown[at - 1]))),
  ]
}
