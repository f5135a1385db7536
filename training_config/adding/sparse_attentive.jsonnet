// Sparse attentive backtracking on the adding problem: windows of 10 steps, 5 memories (Ke et al., 2018).
(import '../common/adding.libsonnet') + {
  encoder+:: { top_k: 5, truncation: 10 },
}
