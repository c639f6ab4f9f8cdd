/** The greeting for whom a request names: /?to=you */
export function greet(greeting: string, path: string): string {
  const to = new URL(`http://localhost${path}`).searchParams.get('to') ?? 'world';
  return `${greeting}, ${to}!\n`;
}
