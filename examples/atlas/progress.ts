import { SingleBar } from 'cli-progress'

export interface Progress {
  update(done: number): void
  stop(): void
}

/** A bar on a terminal; elsewhere, as in a log file, a line for each quarter. */
export function startProgress(title: string, total: number): Progress {
  return process.stdout.isTTY ? startBar(title, total) : startLines(title, total)
}

function startBar(title: string, total: number): Progress {
  const bar = new SingleBar({
    format: `${title} {bar} {value}/{total} in {duration_formatted}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stdout,
  })
  bar.start(total, 0)
  return { update: (done) => bar.update(done), stop: () => bar.stop() }
}

function startLines(title: string, total: number): Progress {
  let quarters = 0
  const update = (done: number) => {
    const reached = Math.floor((4 * done) / total)
    if (reached === quarters) return
    quarters = reached
    console.log(`${title} ${done}/${total}`)
  }
  return { update, stop: () => {} }
}
