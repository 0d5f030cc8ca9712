/** Plays with what the browser has of its own. It sends no header, and tells no reason. */
export function play(video, { url }) {
  video.src = url;
  return video.play();
}
