import { runSuite } from './suite.ts'

// Every case runs on a file, which has the same driver.
runSuite({ name: 'memory', path: () => undefined, turns: { step: 3, from: 1 } })
