import type { Responsiveness } from '../../responsive/measure-responsive.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

const milliseconds = (value: number) => `${value.toFixed(0)} ms`
const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`

export const responsiveSection = ({ works, calls, files }: Responsiveness): Section => ({
  title: 'The event loop, and the sizes of files',
  blocks: [
    'How long a timer of one millisecond waits at most while a program of its own works on 50,000 rows of a file, how long the thread works at most between two of its ticks, which is the same on a machine that does nothing else, and how long work goes on after its signal was aborted. Blank: it is done before, or takes no signal.',
    formatTable([
      ['', 'longest gap', 'at work', 'until aborted'],
      ...works.map(({ work, gap, worked, abort }) => [
        work,
        milliseconds(gap),
        milliseconds(worked),
        abort === null ? '' : milliseconds(abort),
      ]),
    ]),
    'Calls of the engine that cannot be split, and the same statements by hand, for which everything is prepared beforehand.',
    formatTable([
      ['', 'longest gap', 'at work', 'by hand'],
      ...calls.map(({ call, gap, worked, byHand }) => [
        call,
        milliseconds(gap),
        milliseconds(worked),
        milliseconds(byHand),
      ]),
    ]),
    'The write-ahead log at its peak and once the database is quiet; and the log of commits, after six times as many as it is to keep.',
    formatTable([
      ['', 'at its peak', 'quiet'],
      ['after one commit of 35 MB', megabytes(files.afterCommit.peak), megabytes(files.afterCommit.quiet)],
      ['after a reader held it back', megabytes(files.afterReader.peak), megabytes(files.afterReader.quiet)],
      [
        `log of commits, ${files.log.keeps} kept`,
        `${files.log.commits} commits`,
        `${(files.log.bytes / files.log.commits).toFixed(0)} B each`,
      ],
    ]),
  ],
})
