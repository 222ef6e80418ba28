/** A metric to show; `value` in its unit. */
export interface Metric {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly samples: number
}

const barWidth = 30

/** Draws the dashboard, on a terminal in the place of the one before. */
export function drawDashboard(metrics: readonly Metric[], alerts: readonly string[]): void {
  if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J')
  const most = Math.max(1, ...metrics.map(({ value }) => value))
  const lines = metrics.map(({ name, value, unit, samples }) => {
    const bar = '█'.repeat(Math.round((value / most) * barWidth)).padEnd(barWidth)
    return `${name.padEnd(10)} ${bar} ${value.toFixed(1).padStart(7)} ${unit} (${samples} samples)`
  })
  console.log([...lines, ...alerts.map((alert) => `! ${alert}`)].join('\n'))
}
