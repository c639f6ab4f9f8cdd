export { findMetro, findToken, type KnownMetro, knownMetros, type Metro, type Token } from './access.ts';
export { Api, type ApiOptions, type Id, isUuid } from './api.ts';
export { Cloud } from './cloud.ts';
export { CloudFault, type CloudFaultCode, type Refusal, wasRefusedFor } from './fault.ts';
export {
  CloudInstances,
  type DomainRequest,
  type InstanceRequest,
  type ServiceRequest,
  type VolumeRequest,
} from './instances.ts';
export { errorName, errorNames } from './refusals.ts';
export { Certificates, CloudImages, CloudVolumes, listMetros, type MetroStatus, Users } from './resources.ts';
export {
  type AutoscaleRequest,
  type NewService,
  Scaling,
  type ServiceChange,
  Services,
  type StepPolicy,
} from './services.ts';
export {
  type Autoscale,
  type Certificate,
  type CloudImage,
  type CloudInstance,
  type CloudVolume,
  type Handler,
  handlers,
  type Policy,
  type Port,
  type Quota,
  restartPolicies,
  scaleToZeroPolicies,
  type RestartPolicy,
  type Service,
} from './shapes.ts';
export { defaultMemory, parseMebibytes } from './amounts.ts';
export { describePort } from './deploy/compare.ts';
export { deploy, type Deployed, type DeployOptions } from './deploy/deploy.ts';
export type { Deployment } from './deploy/deployment.ts';
export { describeEnding, stopLetters } from './deploy/ending.ts';
export { lastLog, type LogOptions, readLog } from './deploy/log.ts';
export { isUp, lookAt, type Seen, urlsOf, versionOf } from './deploy/look.ts';
export { describePlan, type Plan, type Rollout, rollouts } from './deploy/plan.ts';
export { notDeployed, rollBack, type RollbackOptions, type RolledBack } from './deploy/rollback.ts';
export { undeploy } from './deploy/undeploy.ts';
export { parsePorts } from './ports.ts';
export { parseSteps } from './steps.ts';
export { describeDeployment, type ImageFacts, readDomains, readVolume } from './deploy/describe-deployment.ts';
export { checkSettings, parseSettings, type Settings, settingsJsonSchema } from './deploy/settings.ts';
export { type Forward, parseForward } from './tunnel/forward.ts';
export { openTunnel, type TunnelOptions } from './tunnel/tunnel.ts';
export { importVolume, type ImportOptions } from './volume-import/import-volume.ts';
export type { Room } from './volume-import/replies.ts';
