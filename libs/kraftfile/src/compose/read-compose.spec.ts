import { expect, test } from 'vitest';
import { ComposeFault, readCompose } from './read-compose.ts';

const read = (text: string, variables = {}) => readCompose(text, 'compose.yaml', variables);
const service = (text: string) => read(`services: { web: { image: nginx:1.25, ${text} } }`).services[0];

test('short and long forms say the same', () => {
  const long = `
name: shop
x-common: &common { environment: { LEVEL: info, TOKEN: } }
services:
  web:
    <<: *common
    build: { context: ./web, dockerfile: Dockerfile.web, args: { A: 1 } }
    platform: qemu/x86_64
    command: [serve, '--port', '80']
    env_file: [{ path: a.env }]
    ports: [{ target: 80, published: '8080', host_ip: 127.0.0.1 }, { target: 53, published: 53, protocol: udp }]
    volumes: [{ type: bind, source: ./data, target: /data, read_only: true }, { source: cache, target: /cache }]
    networks: { back: { ipv4_address: 172.30.0.5 }, front: }
    deploy: { resources: { limits: { memory: 512M, cpus: '0.5' } } }
    depends_on: { db: { condition: service_healthy } }
  db: { image: postgres }
networks: { back: { name: lab, ipam: { config: [{ subnet: 172.30.0.0/16 }] } }, front: { external: true } }
volumes: { cache: }
`;
  const short = `
name: shop
services:
  web:
    build: { context: ./web, dockerfile: Dockerfile.web, args: [A=1] }
    platform: qemu/x86_64
    command: serve --port '80'
    environment: [LEVEL=info, TOKEN]
    env_file: a.env
    ports: ['127.0.0.1:8080:80', '53:53/udp']
    volumes: ['./data:/data:ro', 'cache:/cache']
    networks: { back: { ipv4_address: 172.30.0.5 }, front: }
    mem_limit: 512m
    cpus: 0.5
    depends_on: [db]
  db: { image: postgres }
networks: { back: { name: lab, ipam: { config: [{ subnet: 172.30.0.0/16 }] } }, front: { external: true } }
volumes: { cache: }
`;
  expect(read(long)).toEqual(read(short));
  expect(read(short)).toMatchObject({
    name: 'shop',
    services: [
      {
        name: 'web',
        build: { context: './web', dockerfile: 'Dockerfile.web', args: { A: '1' } },
        args: ['serve', '--port', '80'],
        env: { LEVEL: 'info', TOKEN: '' },
        envFiles: ['a.env'],
        ports: ['127.0.0.1:8080:80', '53:53/udp'],
        volumes: [
          { source: './data', destination: '/data', isReadOnly: true },
          { source: 'cache', destination: '/cache', isReadOnly: false },
        ],
        networks: [{ name: 'lab', address: '172.30.0.5/16' }, { name: 'front' }],
        memory: '512Mi',
        cpus: 1,
        dependsOn: ['db'],
      },
      { name: 'db', image: 'postgres' },
    ],
    networks: [{ name: 'lab', subnet: '172.30.0.0/16' }],
    volumes: ['cache'],
    passedOver: [],
  });
});

test('an entry point stands before the command, and a port alone takes any of the host', () => {
  expect(service('entrypoint: /bin/app, command: [-v], ports: [80, 3000-3005]')).toMatchObject({
    args: ['/bin/app', '-v'],
    ports: ['0:80', '0:3000-3005'],
  });
});

test('variables are put in, with their defaults', () => {
  const text = 'services: { web: { image: "nginx:${TAG:-1.25}", ports: ["$PORT:80"] } }';
  expect(read(text, { PORT: '8080' }).services).toMatchObject([{ image: 'nginx:1.25', ports: ['8080:80'] }]);
});

test('values of variables, which may be secrets, are put into no environment and no build argument', () => {
  const text = `
services:
  web:
    build: { context: ., args: { A: 1, B: $TOKEN, TOKEN: } }
    environment: ['TOKEN=\${TOKEN}', 'URL=db://me:\${TOKEN}@db', 'LEVEL=\${LEVEL:-info}', 'NEEDED=\${NEEDED:?}', EMPTY=]
`;
  const { services, passedOver } = read(text, { TOKEN: 'secret', LEVEL: 'debug' });
  expect(services).toMatchObject([{ build: { args: { A: '1' } } }]);
  expect(services[0]?.env).toEqual({ TOKEN: '', LEVEL: 'info', NEEDED: '', EMPTY: '' });
  expect(passedOver).toEqual([
    'services.web.environment.URL',
    'services.web.build.args.B',
    'services.web.build.args.TOKEN',
  ]);
  expect(JSON.stringify(services)).not.toContain('secret');
});

test('what no machine knows is told, wherever it stands', () => {
  const text = `
version: '3'
x-mine: 1
secrets: {}
services:
  web: { image: a, restart: always, deploy: { replicas: 3 }, networks: { back: { aliases: [w] } }, build: { no_cache: true } }
networks: { back: { driver: bridge } }
`;
  expect(read(text).passedOver.toSorted()).toEqual([
    'networks.back.driver',
    'secrets',
    'services.web.build.no_cache',
    'services.web.deploy.replicas',
    'services.web.networks.back.aliases',
    'services.web.restart',
  ]);
});

test.each([
  ['services: [', /^Flow sequence/],
  ['a: &a [x]\nb: &b [*a, *a, *a]\nservices: *c', /^Unresolved alias/],
  ['services: { web: { ports: [80] } }', 'services.web: a service has an image or a build'],
  ['services: { web: { image: a, volumes: [/data] } }', /^services.web.volumes.0.source: a volume without a name/],
  ['services: { web: { image: a, volumes: [{ type: tmpfs, target: /x }] } }', /only folders and volumes can be shared/],
  ["services: { web: { image: a, command: 'a | b' } }", /^services.web.command: 'a | b' is no list of words/],
  ['services: { web: { image: "${TAG:?give a tag}" } }', /give a tag/],
  ['[]', /^it: /],
])('%s is no Compose file', (text, message) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'COMPOSE_INVALID', at: 'compose.yaml' }) as Error);
  expect(() => read(text)).toThrow(ComposeFault);
  expect(() => read(text)).toThrow(message);
});
