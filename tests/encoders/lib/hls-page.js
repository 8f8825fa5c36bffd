// A page of another site that plays LL-HLS with hls.js, and says what it sees and hears.

const video = document.querySelector("video");
const state = { fatal: [], stalls: 0, errors: [] };
let hls, analyser;

window.watch = (url) => {
  hls = new Hls({ lowLatencyMode: true });
  hls.on(Hls.Events.ERROR, (_, error) => {
    if (error.fatal) state.fatal.push(error.details);
    else if (state.errors.length < 20) state.errors.push(`${error.details} ${error.reason ?? error.error ?? ""}`);
    if (error.details === "bufferStalledError") state.stalls += 1;
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  const context = new AudioContext();
  analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaElementSource(video).connect(analyser);
  analyser.connect(context.destination);
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
};

window.measure = () => {
  const bins = new Uint8Array(analyser.frequencyBinCount);
  analyser.getByteFrequencyData(bins);
  const loudest = bins.indexOf(Math.max(...bins));
  const level = hls.levels[hls.currentLevel]?.details;
  return {
    ...state,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    width: video.videoWidth,
    height: video.videoHeight,
    pitch: bins[loudest] > 0 ? (loudest * analyser.context.sampleRate) / analyser.fftSize : 0,
    played: video.played.length ? video.currentTime - video.played.start(0) : 0,
    // The time of day at which what is seen was captured.
    delay: hls.playingDate ? (Date.now() - hls.playingDate.getTime()) / 1000 : Infinity,
    lowLatency: Boolean(level?.partList),
  };
};
