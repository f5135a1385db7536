// The encoder of a parser: word, lemma and part of speech, and a bidirectional LSTM of two layers over them. Settings of Peng et al. (2018).
local vectors = std.extVar('SPIGOT_EMBEDDINGS');

{
  text_field_embedder: {
    token_embedders: {
      words: {
        type: 'embedding',
        vocab_namespace: 'tokens',
        embedding_dim: 100,
        trainable: true,
      } + (if vectors == '' then {} else { pretrained_file: vectors }),
      lemmas: { type: 'embedding', vocab_namespace: 'lemmas', embedding_dim: 50 },
      pos: { type: 'embedding', vocab_namespace: 'pos', embedding_dim: 50 },
    },
  },
  encoder: { type: 'lstm', input_size: 200, hidden_size: 200, num_layers: 2, bidirectional: true },
  word_dropout: { indexer: 'words', namespace: 'tokens', alpha: 0.25 },
  embedding_dropout: 0.2,
  dropout: 0.33,
}
