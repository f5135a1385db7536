// Long documents with full backpropagation through time, and no memory.
(import '../common/long_documents.libsonnet') + {
  encoder+:: { top_k: 0, truncation: null },
}
