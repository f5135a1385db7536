// The parser of the trial, about as small as those of `studies/trees`.
local base = import '../../training_config/semantic_parser/raw_text.jsonnet';

base {
  model+: {
    arc_scorer+: { hidden_dim: 100 },
    label_scorer+: { hidden_dim: 50 },
    encoder+: { encoder+: { hidden_size: 100 } },
  },
}
