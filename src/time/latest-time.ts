/** The last time that a Date can express, in milliseconds since the epoch: in the year 275760. */
export const latestTime = 8_640_000_000_000_000
