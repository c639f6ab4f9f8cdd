// Kraftfiles as they are found in public repositories: eight shapes in about the shares that they have there.

/** The files of one application, by their paths in its folder. */
export type Files = Readonly<Record<string, string>>;

/** How many of a hundred applications have a shape, and what such an application is. */
interface Shape {
  readonly share: number;
  readonly files: (index: number) => Files;
}

const dockerfile = `FROM debian:bookworm AS build
RUN apt-get update && apt-get install -y gcc
WORKDIR /src
COPY ./src /src
RUN gcc -o /app main.c
FROM scratch
COPY --from=build /app /app
`;

const shapes: readonly Shape[] = [
  {
    share: 56,
    files: (index) => ({
      Kraftfile: `spec: v0.6

name: app${index}

runtime: base-compat:latest

labels:
  cloud.unikraft.v1.instances/scale_to_zero.policy: "on"
  cloud.unikraft.v1.instances/scale_to_zero.cooldown_time_ms: ${1000 + (index % 9) * 500}

rootfs: ./Dockerfile

cmd: ["/app", "--port", "${8000 + index}"]
`,
      Dockerfile: dockerfile,
      'src/main.c': source(index),
    }),
  },
  {
    share: 6,
    files: (index) => ({
      Kraftfile: `spec: v0.6
runtime: python:3.12
rootfs: ./rootfs
cmd: ["/usr/bin/python3", "/app/server${index}.py"]
env:
  PORT: "${8000 + index}"
`,
      [`rootfs/app/server${index}.py`]: `print(${index})\n`,
    }),
  },
  {
    share: 10,
    files: (index) => ({
      Kraftfile: `spec: v0.6
name: app${index}
unikraft:
  version: stable
  kconfig:
    CONFIG_LIBVFSCORE: 'y'
    CONFIG_LIBUKDEBUG_PRINTK_INFO: 'y'
    CONFIG_STACK_SIZE_PAGE_ORDER: ${(index % 4) + 2}
libraries:
  musl: stable
  lwip:
    version: stable
    kconfig:
      CONFIG_LWIP_IPV6: 'n'
rootfs: ./rootfs
cmd: ["/app${index}", "--port", "${8000 + index}"]
targets:
  - qemu/x86_64
  - fc/x86_64
  - name: arm
    platform: qemu
    architecture: arm64
    kconfig:
      CONFIG_ARM64_GENERIC: 'y'
`,
      'Makefile.uk': makefile(index),
      'src/main.c': source(index),
      'rootfs/file': `${index}\n`,
    }),
  },
  {
    share: 9,
    files: (index) => ({
      Kraftfile: `spec: v0.6
name: app${index}
template:
  source: https://github.com/unikraft/app-elfloader.git
  version: stable
unikraft:
  source: https://github.com/unikraft/unikraft.git
  version: stable
  kconfig:
${kconfig(index, 24)}
libraries:
  lwip: { source: https://github.com/unikraft/lib-lwip.git, version: stable }
  libelf: { source: https://github.com/unikraft/lib-libelf.git, version: stable }
rootfs: ./Dockerfile
cmd: ["/app"]
targets:
  - fc/x86_64
  - qemu/x86_64
`,
      Dockerfile: dockerfile,
      'src/main.c': source(index),
    }),
  },
  {
    share: 9,
    files: (index) => ({
      Kraftfile: `specification: '0.6'
name: app${index}
unikraft:
  version: stable
  kconfig:
${kconfig(index, 12)}
targets:
  - architecture: x86_64
    platform: qemu
  - architecture: arm64
    platform: qemu
`,
      'Makefile.uk': makefile(index),
      'src/main.c': source(index),
      'README.md': `# app${index}\n`,
    }),
  },
  {
    share: 5,
    files: (index) => ({
      'kraft.yaml': `specification: '0.5'
name: app${index}
unikraft:
  version: stable
  kconfig:
    - CONFIG_LIBUKBOOT_BANNER_NONE=y
    - CONFIG_APP_NUMBER=${index}
targets:
  - architecture: x86_64
    platform: kvm
libraries:
  lwip: stable
`,
      'Makefile.uk': makefile(index),
      'src/main.c': source(index),
    }),
  },
  {
    share: 3,
    files: (index) => ({
      Kraftfile: `spec: v0.7
runtime: base-compat:latest
rootfs:
  source: ./Dockerfile
  format: erofs
cmd: ["/app", "${index}"]
`,
      Dockerfile: 'FROM scratch\nCOPY site /site\n',
      'site/index.html': `${index}\n`,
    }),
  },
  {
    share: 2,
    files: (index) => ({
      Kraftfile: `spec: v0.6
name: app${index}
runtime: nginx:1.25
rootfs: ./rootfs
volumes:
  - ./data:/data
env:
  - NUMBER=${index}
targets: [qemu/x86_64, fc/x86_64]
`,
      'rootfs/etc/nginx.conf': `# ${index}\n`,
      'data/index.html': `${index}\n`,
    }),
  },
];

/** The application of a number: the same each time, and in any hundred of them each shape by its share. */
export function applicationFiles(index: number): Files {
  let place = (index * 37) % 100;
  for (const { share, files } of shapes) {
    if (place < share) return files(index);
    place -= share;
  }
  throw new Error('the shares are not a hundred');
}

function source(index: number): string {
  return `int main(void) { return ${index % 7}; }\n`;
}

function makefile(index: number): string {
  return `$(eval $(call addlib,app${index}))\nAPP${index}_SRCS-y += $(APP${index}_BASE)/src/main.c\n`;
}

function kconfig(index: number, count: number): string {
  return Array.from(
    { length: count },
    (_, line) => `    CONFIG_OPTION_${line}: ${(index + line) % 5 === 0 ? line : "'y'"}`,
  ).join('\n');
}
