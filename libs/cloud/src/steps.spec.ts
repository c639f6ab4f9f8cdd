import { expect, test } from 'vitest';
import { parseSteps } from './steps.ts';

test('steps are read, and put in the order of their bounds', () => {
  expect(parseSteps(['800:/2', ':600/-1', '600:800/+1'])).toEqual([
    { adjustment: -1, upper_bound: 600 },
    { adjustment: 1, lower_bound: 600, upper_bound: 800 },
    { adjustment: 2, lower_bound: 800 },
  ]);
});

test.each([
  [[], 'one to four'],
  [[':1/1', '1:2/1', '2:3/1', '3:4/1', '4:/1'], 'one to four'],
  [['600/1'], 'LOW:HIGH/NUMBER'],
  [[':/1'], 'LOW:HIGH/NUMBER'],
  [['800:600/1'], 'not below'],
  [[':600/1', '700:/1'], '600 is not followed by 700'],
  [['600:/1', '800:/2'], 'the end is not followed by 800'],
  [[':600/1', ':700/1'], 'not followed by a bound'],
])('%j cannot be steps', (texts, why) => {
  expect(() => parseSteps(texts)).toThrow(why);
});
