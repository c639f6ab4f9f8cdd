import type { Plain } from './model.ts';

/** Sets a key of an object whatever its name: a plain assignment to `__proto__` would set none. */
export function setOwn(object: Record<string, Plain>, key: string, value: Plain): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
  else object[key] = value;
}
