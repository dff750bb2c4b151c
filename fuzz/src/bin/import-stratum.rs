#![no_main]
vmfa_fuzz::importer!();
