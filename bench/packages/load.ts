/** Imports a package of this folder. Where it is missing, it throws. */
export const loadPackage = <Module>(name: string): Promise<Module> => import(name)
