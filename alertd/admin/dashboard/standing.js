// How everything stands: asked for once by the frame, used by the menu and by pages.
import { createContext, useContext } from "./html.js";

export const Standing = createContext({});
export const useStanding = () => useContext(Standing);
