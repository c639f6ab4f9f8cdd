const { createServer } = require('node:http');
const { greet } = require('./greeting');

const port = Number(process.argv[2] ?? 8080);
const greeting = process.env.GREETING ?? 'Hello';

createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(greet(greeting, request.url));
}).listen(port, () => console.log(`Listening on port ${port}`));
