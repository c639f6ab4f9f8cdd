export { ContentReader } from './content-reader.ts';
export { type CheckedCpio, copyCpio } from './cpio-check.ts';
export { type CpioEntry, type CpioHandler, CpioParser } from './cpio-parser.ts';
export { type CpioMeta, type CpioWritten, CpioWriter, largestCpioFile } from './cpio-writer.ts';
export { ArchiveFault, type ArchiveFaultCode } from './fault.ts';
export { createFile, FileWriter, readChunks, type Written } from './file-writer.ts';
export { type LargeFile, LargestFiles } from './largest.ts';
export { type ByteName, cleanName, compareNames, isAscii, parentOf, toByteName, toHostPath, toText } from './names.ts';
export { type LayerTar, layerTar, tarEnd, tarHeader, type TarHeaderFields, tarPadding } from './tar-header.ts';
export { hasRightSum, type TarEntryType, wordsOf } from './tar-fields.ts';
export { type TarEntry, type TarHandler, TarParser } from './tar-parser.ts';
export { type Converted, type ConvertOptions, TarToCpio } from './tar-to-cpio.ts';
export { type BuilderOptions, type LeftOut, TreeBuilder } from './tree-builder.ts';
export { findDirectory, findNode, makeDirectory } from './tree-paths.ts';
export {
  type Content,
  type DirectoryNode,
  emptyDirectory,
  type FileNode,
  type SymlinkNode,
  type TreeNode,
  type WriteOptions,
  writeTree,
} from './tree.ts';
