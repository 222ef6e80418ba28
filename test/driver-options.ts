/** With what a test opens the driver of an engine, where the options do not matter. */
export const driverOptions = {
  readOnly: false,
  snapshotTimeout: 300_000,
  busyTimeout: 0,
  retention: { keepRows: 10, keepMs: 1_000 },
  logValues: false,
  onUnindexed: 'ignore',
} as const
