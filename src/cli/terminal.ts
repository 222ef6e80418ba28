import { createInterface } from 'node:readline/promises'
import type { Report } from '../migrate/migrate.ts'
import type { Ask } from '../migrate/rename-decisions.ts'

const barWidth = 30

/** Tells a person what goes on: a bar on a terminal, else a line for each tenth. */
export function terminalReport(out: NodeJS.WriteStream = process.stderr): Report {
  let open = false
  const tenths = new Map<string, number>()
  return {
    line(text) {
      if (open) out.write('\n')
      open = false
      out.write(`${text}\n`)
    },
    progress(task, done, total) {
      const share = total === 0 ? 1 : done / total
      if (out.isTTY) {
        const filled = Math.round(share * barWidth)
        out.write(`\r${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${task} ${done}/${total}`)
        open = share < 1
        if (!open) out.write('\n')
        return
      }
      const tenth = Math.floor(share * 10)
      if (tenths.get(task) === tenth) return
      tenths.set(task, tenth)
      out.write(`${task}: ${done} of ${total}\n`)
    },
  }
}

/** Asks on a terminal; undefined where there is none, so that nothing ever waits for an answer that cannot come. */
export function terminalAsk(): Ask | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
    } finally {
      lines.close()
    }
  }
}
