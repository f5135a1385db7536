// The semantic parser of the trial without any tree, and about as many weights as both parsers have.
local alone = import 'alone.jsonnet';
local encoder = alone.model.encoder;

alone {
  model+: { encoder+: {
    text_field_embedder+: { token_embedders: {
      [name]: encoder.text_field_embedder.token_embedders[name] + { embedding_dim: 2 * super.embedding_dim }
      for name in std.objectFields(encoder.text_field_embedder.token_embedders)
    } },
    encoder+: { input_size: 2 * super.input_size, hidden_size: 150 },
  } },
}
