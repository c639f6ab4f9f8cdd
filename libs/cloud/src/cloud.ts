import type { Metro, Token } from './access.ts';
import { Api, type ApiOptions } from './api.ts';
import { CloudInstances } from './instances.ts';
import { Certificates, CloudImages, CloudVolumes, Users } from './resources.ts';
import { Scaling, Services } from './services.ts';

/** The API of one metro, by kinds of things. */
export class Cloud {
  readonly api: Api;
  readonly token: Token;
  readonly instances: CloudInstances;
  readonly services: Services;
  readonly scaling: Scaling;
  readonly volumes: CloudVolumes;
  readonly certificates: Certificates;
  readonly images: CloudImages;
  readonly users: Users;

  constructor(metro: Metro, token: Token, options: ApiOptions = {}) {
    this.token = token;
    this.api = new Api(metro, token, options);
    this.instances = new CloudInstances(this.api);
    this.services = new Services(this.api);
    this.scaling = new Scaling(this.api);
    this.volumes = new CloudVolumes(this.api);
    this.certificates = new Certificates(this.api);
    this.images = new CloudImages(this.api);
    this.users = new Users(this.api);
  }
}
