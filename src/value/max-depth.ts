/** How many objects a value may nest in each other. The recursion that stores a value is safe on the stack far beyond it. */
export const maxDepth = 500
