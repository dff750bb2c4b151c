// The same for a module of the older kind.

import vmfa = require("vmfa");
import cypress = require("vmfa/cypress");
import playwright = require("vmfa/playwright");

export const found = [vmfa.binary(), cypress.create().tasks, playwright.test];
