/** The longest time that a timer can wait, in milliseconds. One that is asked for more fires at once. */
export const longestTimer = 2 ** 31 - 1
