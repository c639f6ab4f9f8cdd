import { CloudFault } from './fault.ts';
import type { StepPolicy } from './services.ts';

/**
 * The steps of a rule for scaling, as people write them: `LOW:HIGH/NUMBER`, with nothing for LOW in the first or for HIGH
 * in the last. One to four, without gaps between them; in the order of their bounds in what is given.
 *
 * @throws CloudFault CLOUD_BAD_INPUT
 */
export function parseSteps(texts: readonly string[]): StepPolicy['steps'] {
  if (texts.length < 1 || texts.length > 4) throw badSteps(texts.join(' '), 'one to four steps are needed');
  const steps = texts.map(parseStep).toSorted((a, b) => (a.lower_bound ?? -1) - (b.lower_bound ?? -1));
  for (const [index, { lower_bound: lower }] of steps.entries()) {
    const before = steps[index - 1];
    if (before !== undefined && (lower === undefined || before.upper_bound !== lower)) {
      throw badSteps(texts.join(' '), `${before.upper_bound ?? 'the end'} is not followed by ${lower ?? 'a bound'}`);
    }
  }
  return steps;
}

function parseStep(text: string): StepPolicy['steps'][number] {
  const [whole, low = '', high = '', number] = /^(\d*):(\d*)\/([+-]?\d+)$/.exec(text) ?? [];
  if (whole === undefined || (low === '' && high === '')) throw badSteps(text, 'it is not LOW:HIGH/NUMBER');
  if (low !== '' && high !== '' && Number(low) >= Number(high)) throw badSteps(text, `${low} is not below ${high}`);
  return {
    adjustment: Number(number),
    ...(low === '' ? {} : { lower_bound: Number(low) }),
    ...(high === '' ? {} : { upper_bound: Number(high) }),
  };
}

function badSteps(text: string, why: string): CloudFault {
  return new CloudFault('CLOUD_BAD_INPUT', `'${text}' cannot be steps: ${why}`, {
    hint: 'Write for example --step :600/-1 --step 600:800/1 --step 800:/2',
  });
}
