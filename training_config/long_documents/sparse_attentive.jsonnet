// Sparse attentive backtracking in AllenNLP's text classifier, on long documents (Ke et al., 2018).
(import '../common/long_documents.libsonnet') + {
  encoder+:: { top_k: 5, truncation: 10 },
}
