// With training_config/copying/sparse_attentive.jsonnet: what its settings are worth, one at a time.
{
  'as it is': {},
  'windows of 5': { 'model.encoder.truncation': 5, 'model.encoder.attend_every': 5 },
  'every state stored': { 'model.encoder.attend_every': 1 },
  'stored with what was read': { 'model.encoder.stored': 'state' },
  'smoothing of 0.1': { 'model.encoder.smoothing': 0.1 },
  'gradients cut at one': { 'trainer.grad_norm': 1.0 },
}
