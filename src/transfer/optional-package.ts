/** Imports a part of this package that needs a package which may not be installed. */
export async function withPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error
    throw new TypeError(`This needs ${name}, which is not installed: npm install ${name}`, { cause: error })
  }
}
