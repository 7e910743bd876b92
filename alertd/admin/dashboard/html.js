// Templates become elements; what stands in them becomes text nodes and attributes, never markup.
import { Component, Fragment, createContext, h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export { Component, Fragment, createContext, render };
export * from "./vendor/hooks.js";
export const html = htm.bind(h);
