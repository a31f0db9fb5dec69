// One shape for each state, so that none is told by its colour alone.

import { svg } from "./dom.js";

const SHAPES = {
  ok: ["M12 2.5a9.5 9.5 0 1 0 0 19a9.5 9.5 0 1 0 0-19z", "M7.5 12.3l3.2 3.2l6-6.8"],
  warning: ["M12 3L22.3 20.5H1.7z", "M12 9.5v5M12 17.4v.2"],
  critical: ["M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8z", "M8.5 8.5l7 7M15.5 8.5l-7 7"],
  info: ["M12 2.5a9.5 9.5 0 1 0 0 19a9.5 9.5 0 1 0 0-19z", "M12 11v6M12 7.4v.2"],
  none: ["M12 2.5a9.5 9.5 0 1 0 0 19a9.5 9.5 0 1 0 0-19z", "M7.5 12h.1M12 12h.1M16.5 12h.1"],
  auto: ["M12 3a9 9 0 1 0 0 18z", "M12 3a9 9 0 0 1 0 18"],
  light: ["M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8z", "M12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3L19 19M19 5l-1.7 1.7M6.7 17.3L5 19"],
  dark: ["M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z", ""],
};

export function icon(name) {
  const [shape, sign] = SHAPES[name] ?? SHAPES.none;
  const parts = [svg("path", { class: "shape", d: shape })];
  if (sign) parts.push(svg("path", { class: "sign", d: sign }));
  return svg("svg", { class: `icon ${name}`, viewBox: "0 0 24 24", "aria-hidden": "true" }, ...parts);
}
