// A virtual MFA device for test suites.
//
// `Home` keeps devices and gives codes, each once, whatever the process; `serve` starts a stand-in for AWS IAM and STS
// that checks them. `Share` takes codes from a server of `vmfa share`. For Playwright there is `vmfa/playwright`, for Cypress `vmfa/cypress`.

export { type Duration, binary } from "./binary.js";
export type { Code, CodeDetails, Verdict } from "./code.js";
export {
  BinaryNotFound,
  InputError,
  Interrupted,
  NoSuchDevice,
  NotYet,
  Refused,
  ServerError,
  StorageError,
  UsageError,
  VmfaError,
} from "./errors.js";
export {
  type CodeOptions,
  type Device,
  Home,
  type HomeOptions,
  type PairOptions,
  type Source,
  type VerifyOptions,
  type VirtualMFADevice,
} from "./home.js";
export { type ClientConfig, type Credentials, type Event, type Keys, type ServeOptions, type Server, serve } from "./server.js";
export { Share, type ShareOptions, type SharedCodeOptions, type SharedDevice, type SharedPairOptions } from "./share.js";
