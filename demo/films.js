/**
 * What the screens show (scripts/sample-video makes it).
 * @typedef {object} Film
 * @property {string} title
 * @property {string} path Of its HLS manifest.
 */

/**
 * The screens of the account: a name to begin with, what it looks like, and its film.
 * @type {{device: string, icon: string, film: Film}[]}
 */
export const SCREENS = [
  { device: "Living room", icon: "tv", film: film("Aurora", "aurora") },
  { device: "Laptop", icon: "laptop", film: film("Tides", "tides") },
  { device: "Tablet", icon: "tablet", film: film("The Long Zoom", "zoom") },
  { device: "Phone", icon: "phone", film: film("Colonies", "colonies") },
];

/** @returns {Film} */
function film(title, name) {
  return { title, path: `/vod/${name}/master.m3u8` };
}
