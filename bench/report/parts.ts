import type { Bound } from '../bounds/bound.ts'
import type { Results } from '../results.ts'
import type { Chart } from './charts/chart.ts'
import { comparisonChart } from './charts/comparison.ts'
import { growthChart } from './charts/growth.ts'
import { postgresChart } from './charts/postgres.ts'
import { processesChart } from './charts/processes.ts'
import { watchersChart } from './charts/watchers.ts'
import { boundsSection } from './sections/bounds.ts'
import { checksumsSection } from './sections/checksums.ts'
import { claimsSection } from './sections/claims.ts'
import { comparisonSection, syncedSection } from './sections/comparison.ts'
import { contendersSection } from './sections/contenders.ts'
import { growthSection } from './sections/growth.ts'
import { indexesSection } from './sections/indexes.ts'
import { jobsSection } from './sections/jobs.ts'
import { liveQueriesSection } from './sections/live-queries.ts'
import { machineSection } from './sections/machine.ts'
import { noticingSection } from './sections/noticing.ts'
import { postgresSection } from './sections/postgres.ts'
import { processesSection } from './sections/processes.ts'
import { queriesSection } from './sections/queries.ts'
import { responsiveSection } from './sections/responsive.ts'
import type { Section } from './sections/section.ts'
import { startsSection } from './sections/starts.ts'
import { tracingSection } from './sections/tracing.ts'
import { watchersSection } from './sections/watchers.ts'

/** A section, and the chart that shows it. */
export interface Part {
  readonly section: Section
  readonly chart?: Chart
}

/** All that was measured, in the order in which it is told. */
export function partsOf(results: Results, bounds: readonly Bound[]): readonly Part[] {
  const {
    machine,
    contenders,
    comparisons,
    synced,
    queries,
    growth,
    indexes,
    watchers,
    liveQueries,
    noticing,
    processes,
    postgres,
    starts,
    claims,
    jobs,
    checksums,
    tracing,
    responsive,
  } = results
  return [
    { section: machineSection(machine) },
    ...(comparisons.length > 0 ? [{ section: contendersSection(contenders) }] : []),
    ...comparisons.map((comparison, i) => ({
      section: comparisonSection(comparison),
      ...(i === 0 && { chart: comparisonChart(comparison) }),
    })),
    ...(synced === null ? [] : [{ section: syncedSection(synced) }]),
    ...(queries === null ? [] : [{ section: queriesSection(queries) }]),
    ...(growth === null ? [] : [{ section: growthSection(growth), chart: growthChart(growth) }]),
    ...(indexes === null ? [] : [{ section: indexesSection(indexes) }]),
    ...(watchers === null ? [] : [{ section: watchersSection(watchers), chart: watchersChart(watchers) }]),
    ...(liveQueries === null ? [] : [{ section: liveQueriesSection(liveQueries) }]),
    ...(noticing === null ? [] : [{ section: noticingSection(noticing) }]),
    ...(processes === null
      ? []
      : [{ section: processesSection(processes), chart: processesChart(processes.times) }]),
    ...(postgres === null
      ? []
      : [
          {
            section: postgresSection(postgres),
            ...('times' in postgres && { chart: postgresChart(postgres.times) }),
          },
        ]),
    ...(starts === null ? [] : [{ section: startsSection(starts) }]),
    ...(claims === null ? [] : [{ section: claimsSection(claims) }]),
    ...(jobs === null ? [] : [{ section: jobsSection(jobs) }]),
    ...(checksums === null ? [] : [{ section: checksumsSection(checksums) }]),
    ...(tracing === null ? [] : [{ section: tracingSection(tracing) }]),
    ...(responsive === null ? [] : [{ section: responsiveSection(responsive) }]),
    ...(bounds.length > 0 ? [{ section: boundsSection(bounds) }] : []),
  ]
}
