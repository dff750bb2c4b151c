# Untried with Nix: nix-build -E '(import <nixpkgs> { }).callPackage ./packaging/nix/package.nix { }'
{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
}:

rustPlatform.buildRustPackage {
  pname = "vmfa";
  version = (lib.importTOML ../../Cargo.toml).package.version;
  src = lib.cleanSource ../..;
  cargoLock.lockFile = ../../Cargo.lock;
  buildType = "dist";
  nativeBuildInputs = [ installShellFiles ];
  # The tests need keyrings, browsers and a session bus: tests/run has them.
  doCheck = false;
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    mkdir man
    $out/bin/vmfa man --dir man
    installManPage man/man1/*.1 man/man7/*.7
    installShellCompletion --cmd vmfa \
      --bash <($out/bin/vmfa completions bash) \
      --zsh <($out/bin/vmfa completions zsh) \
      --fish <($out/bin/vmfa completions fish)
  '';
  meta = {
    description = "Virtual MFA device for scripts: QR code in, RFC 6238 codes out";
    license = with lib.licenses; [
      mit
      asl20
    ];
    mainProgram = "vmfa";
  };
}
