export * from "./cypress.js";
