import { expect, test } from 'vitest';
import { giveVariables, takeBackVariables } from './run-variables.ts';

test('what a run was given is no part of the next one, but for what Nx has set anew since', () => {
  const env: NodeJS.ProcessEnv = { NX_KRAFT_FROZEN: '0', PATH: '/bin' };
  giveVariables(env, { NX_KRAFT_OFFLINE: '1', NX_KRAFT_FROZEN: '1', NX_KRAFT_BEGAN: '5' });
  expect(env).toEqual({ NX_KRAFT_OFFLINE: '1', NX_KRAFT_FROZEN: '1', NX_KRAFT_BEGAN: '5', PATH: '/bin' });
  env.NX_KRAFT_BEGAN = '7';
  takeBackVariables(env);
  expect(env).toEqual({ NX_KRAFT_FROZEN: '0', NX_KRAFT_BEGAN: '7', PATH: '/bin' });
  // What is taken back once is not taken from a later run.
  env.NX_KRAFT_OFFLINE = '1';
  takeBackVariables(env);
  expect(env.NX_KRAFT_OFFLINE).toBe('1');
});
