/** The greeting for whom a request names: /?to=you */
function greet(greeting, path) {
  const to = new URL(`http://localhost${path}`).searchParams.get('to') ?? 'world';
  return `${greeting}, ${to}!\n`;
}

module.exports = { greet };
