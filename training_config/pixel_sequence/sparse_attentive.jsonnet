// Sparse attentive backtracking on images read pixel by pixel: windows of 28 steps, 5 memories (Ke et al., 2018).
(import '../common/pixel_sequence.libsonnet') + {
  encoder+:: { top_k: 5, truncation: 28 },
}
