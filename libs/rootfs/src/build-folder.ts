/** What KraftKit and Unikraft's make put beside a Kraftfile: a file system that held it would change with every build. */
export const buildFolder = '.unikraft';
