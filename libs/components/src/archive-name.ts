/** Whether a path or file name ends as a packed source does; whether its kind can be unpacked is found out later. */
export function isArchiveName(path: string): boolean {
  return /\.(tar|tgz|txz|tbz2?|zip|tar\.(gz|xz|bz2|zst|lz4?|br))$/i.test(path);
}
