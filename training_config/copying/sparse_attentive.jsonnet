// Sparse attentive backtracking on the copying problem: windows of 8 steps, 5 memories (Ke et al., 2018).
(import '../common/copying.libsonnet') + {
  encoder+:: { top_k: 5, truncation: 8 },
}
