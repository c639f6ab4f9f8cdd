import { ProjectFault } from './kraftproject.ts';

/** @param hint  what else may be done than to run it again */
export function changed(path: string, hint = otherTask): ProjectFault {
  return new ProjectFault(
    'SOURCE_CHANGED',
    'it was changed while this ran, and the cache would have what was made of it for what was there before',
    { at: path, hint: `Run it again. ${hint}`.trim() },
  );
}

const otherTask = 'If another task writes it, let this one depend on that task, and let git ignore it.';
