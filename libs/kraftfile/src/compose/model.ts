/** A service of a Compose file, with paths as they stand there. */
export interface Service {
  readonly name: string;
  readonly image?: string | undefined;
  readonly build?: Build | undefined;
  /** Such as `qemu/x86_64` for kraft, or `linux/amd64` for Docker. */
  readonly platform?: string | undefined;
  /** What the program gets instead of its image's command. */
  readonly args?: readonly string[] | undefined;
  /** An empty value is the host's. */
  readonly env: Readonly<Record<string, string>>;
  readonly envFiles: readonly string[];
  /** As `[address:]host:guest[/protocol]`. */
  readonly ports: readonly string[];
  readonly volumes: readonly ServiceVolume[];
  readonly networks: readonly ServiceNetwork[];
  readonly mac?: string | undefined;
  /** In the words of Kubernetes, such as `64Mi`. */
  readonly memory?: string | undefined;
  readonly cpus?: number | undefined;
  readonly dependsOn: readonly string[];
}

export interface Build {
  readonly context: string;
  readonly dockerfile?: string | undefined;
  readonly target?: string | undefined;
  readonly args: Readonly<Record<string, string>>;
}

export interface ServiceVolume {
  /** A path, or the name of a volume. */
  readonly source: string;
  readonly destination: string;
  readonly isReadOnly: boolean;
}

export interface ServiceNetwork {
  readonly name: string;
  /** With the length of the network's prefix. */
  readonly address?: string | undefined;
}

export interface Compose {
  readonly name?: string | undefined;
  readonly services: readonly Service[];
  /** Networks that are to be made, with their ranges where they have any. */
  readonly networks: readonly { readonly name: string; readonly subnet?: string | undefined }[];
  /** Names of volumes that are to be made. */
  readonly volumes: readonly string[];
  /** What says something that machines do not know, such as `services.web.restart`. */
  readonly passedOver: readonly string[];
}
