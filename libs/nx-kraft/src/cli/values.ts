/** `NAME=VALUE` items as a mapping; `NAME` alone has the value of the environment's variable. */
export function pairs(items: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    items.map((item) => {
      const [name = '', ...value] = item.split('=');
      return [name, value.length > 0 ? value.join('=') : (process.env[name] ?? '')];
    }),
  );
}
