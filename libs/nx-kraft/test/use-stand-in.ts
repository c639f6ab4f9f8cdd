import { afterAll, beforeAll } from 'vitest';
import { StandIn } from './stand-in.ts';

/** Builds the stand-in before the tests of a file, in a folder that is removed after them. */
export function useStandIn(): Pick<StandIn, 'provide'> {
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await StandIn.build();
  });
  afterAll(() => standIn.remove());
  return { provide: (...image) => standIn.provide(...image) };
}
