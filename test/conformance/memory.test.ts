import { runSuite } from './suite.ts'

runSuite({ name: 'memory', path: () => undefined })
