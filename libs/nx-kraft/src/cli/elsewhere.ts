/** What people who know `kraft` may look for here, and where it is instead. `APP` is the name of an Nx project. */
export const elsewhere: Readonly<Record<string, string>> = {
  'nx-kraft build': 'A project is built by Nx: nx run APP:build',
  'nx-kraft clean': 'Remove the folder .unikraft of the project; nx reset forgets cached tasks.',
  'nx-kraft compose': 'Services are projects: nx g nx-kraft:compose FILE makes them, nx run-many -t run runs them.',
  'nx-kraft fetch': 'nx-kraft pkg pull --locked gets all sources of a workspace.',
  'nx-kraft menu': 'A project is configured by Nx: nx run APP:menuconfig',
  'nx-kraft menuconfig': 'A project is configured by Nx: nx run APP:menuconfig',
  'nx-kraft package': 'A project is packaged by Nx: nx run APP:package',
  'nx-kraft deploy': 'A project is deployed by Nx: nx run APP:deploy',
  'nx-kraft test': 'A project is tested by Nx: nx run APP:test',
};
